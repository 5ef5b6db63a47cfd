"""The ledger of predictions: one row for each scored row, in Parquet files."""
