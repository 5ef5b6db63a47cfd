"""What scoring produces: one prediction for each row, and what was noticed about all of them."""
