"""The values of features over time, in Parquet files, and their reading as of a time."""
