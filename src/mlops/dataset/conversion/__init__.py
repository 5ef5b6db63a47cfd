"""Files of other formats than CSV: recognised, expanded within limits, converted into one CSV table."""
