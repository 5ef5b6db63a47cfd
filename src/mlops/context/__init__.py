"""Composition: the parts of the library for plain files or for a deployed stack."""
