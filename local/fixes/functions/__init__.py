"""Corrections of Lambda."""
