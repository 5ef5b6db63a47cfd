"""The ledger of predictions: one row per scored row. Reserved; nothing is here yet."""
