"""Predictions of candidates in shadow: rows that join the ledger when their day is merged, and agreements."""
