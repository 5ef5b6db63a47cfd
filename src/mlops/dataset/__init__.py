"""Data files: read, validated, kept as datasets.

`table` turns bytes into typed columns, `validation` judges them against a contract, `catalog` keeps versions.
"""
