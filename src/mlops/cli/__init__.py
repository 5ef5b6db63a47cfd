"""The command line `mlops`: one module per noun."""
