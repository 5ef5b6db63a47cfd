"""The nightly check of the inputs: what it compares, keeps and reports."""
