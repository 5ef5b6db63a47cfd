"""Feature definitions with offline and online reads: reserved, nothing is here yet."""
