"""Corrections of Step Functions."""
