"""From a table to training rows: target, features, dates, split, schema."""
