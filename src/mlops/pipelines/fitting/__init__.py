"""Fit a model: preprocessing, choice of the algorithm, hyperparameter search."""
