"""Features: definitions in code, their values over time (offline), and the newest value of each (online)."""
