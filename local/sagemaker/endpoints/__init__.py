"""Endpoints: models that are served by a process each."""
