"""Words for greetings."""
