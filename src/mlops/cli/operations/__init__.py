"""Commands for the people who run a stack: what needs a person, and what is started again."""
