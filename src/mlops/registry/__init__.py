"""Versions of models: registration, life cycle, audit; in DynamoDB or in plain files."""
