"""Labels: outcomes that people drop, as rows of Parquet files beside the ledger, joined with predictions."""
