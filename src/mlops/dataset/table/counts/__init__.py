"""What is counted of a column, chunk by chunk; the sums decide what the column holds."""
