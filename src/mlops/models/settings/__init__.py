"""The settings of a model group, as written in `model.toml`."""
