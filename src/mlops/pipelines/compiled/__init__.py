"""Fitted models as plain arrays, scored without scikit-learn and scipy."""
