"""How the cells of a column are written: dates, numbers with separators and units, codes of digits."""
