"""The SageMaker API: operations, their checks, and what they answer."""
