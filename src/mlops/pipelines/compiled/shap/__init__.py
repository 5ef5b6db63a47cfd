"""Exact Shapley values of boosted trees, looked up in tables."""
