"""The nightly check of inputs and predictions: what it compares, keeps and reports."""
