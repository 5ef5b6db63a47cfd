"""Drift: profiles of rows, and reports about their difference."""
