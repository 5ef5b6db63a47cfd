"""From a CSV to a model, and from a model and a CSV to predictions."""
