"""Experiments: every run with its parameters, metrics, data, code and artifacts, to search and compare."""
