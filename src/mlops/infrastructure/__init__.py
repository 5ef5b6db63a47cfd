"""Adapters: AWS services, plain files, environment variables and events."""
