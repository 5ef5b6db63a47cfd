"""Rules about the cells of a table."""
