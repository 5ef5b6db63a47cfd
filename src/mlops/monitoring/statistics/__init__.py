"""One statistic per module."""
