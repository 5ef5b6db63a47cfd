"""The drift report as a page and as text."""
