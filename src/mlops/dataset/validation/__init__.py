"""Validation of a data file: contract, rules, report."""
