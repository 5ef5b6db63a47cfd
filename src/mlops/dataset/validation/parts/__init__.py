"""A table that comes in parts: what the parts agree on, the facts of each, their merge, one joined file."""
