"""Rows of persons are removed from files of data."""
