"""The command line `mlops`: one module for each kind of object."""
