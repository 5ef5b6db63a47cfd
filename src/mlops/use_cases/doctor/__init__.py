"""What a deployed stack needs of a person, what it stores, and what it costs."""
