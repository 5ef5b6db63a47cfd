"""Commands on plain files: validate, train, score, drift."""
