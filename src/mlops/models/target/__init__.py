"""The target of a model: the kind of task, and its classes."""
