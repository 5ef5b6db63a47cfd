"""Datasets and their versions: stored, listed, accepted."""
