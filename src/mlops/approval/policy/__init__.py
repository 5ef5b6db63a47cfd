"""Who may approve, how many, whether automatically, and how low a gate may be: decided in one place."""
