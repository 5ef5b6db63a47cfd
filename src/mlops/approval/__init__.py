"""Asking people whether a model may go into service: requests, signed links, the page, decisions."""
