"""Profiles of training data and of batches: small JSON documents that describe any number of rows."""
