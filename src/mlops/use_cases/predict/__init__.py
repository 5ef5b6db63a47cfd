"""Prediction of rows at once, on request."""
