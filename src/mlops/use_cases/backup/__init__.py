"""Backups of a stack: its tables and its objects as they were at one moment, restored into an empty stack."""
