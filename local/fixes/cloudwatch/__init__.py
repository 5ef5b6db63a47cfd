"""Corrections of CloudWatch."""
