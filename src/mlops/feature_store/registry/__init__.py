"""Stored definitions: every version of each, with who applied it and when."""
