"""Scoring of files: which rows can be scored, what is written of them, what was noticed in them."""
