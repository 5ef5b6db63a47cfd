"""Endpoints of Amazon SageMaker: what they answer, and which version they serve."""
