"""Handling of uploaded files: from a delivery to an accepted dataset, a started training or a refusal."""
