"""Training tables that arrive as a folder of parts."""
