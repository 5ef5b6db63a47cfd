"""The newest value of each feature, by entity, and its reading in one request."""
