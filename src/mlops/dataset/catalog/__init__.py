"""Datasets and their versions: stored, found, accepted."""
