"""The algorithms that can be trained: estimator, hyperparameters, defaults."""
