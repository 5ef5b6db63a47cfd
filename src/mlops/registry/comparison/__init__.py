"""Two model versions side by side: data, text, page."""
