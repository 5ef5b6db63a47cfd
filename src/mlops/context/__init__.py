"""Composition: the parts of the library for plain files, a deployed stack, or a Lambda function."""
