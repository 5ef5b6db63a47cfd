"""What scoring adds to a model: the quality of the input data."""
