"""What a model may learn from a column: decided for validation, training and scoring in one place."""
