"""Copies of runs in MLflow."""
