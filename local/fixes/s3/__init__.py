"""Corrections of S3."""
