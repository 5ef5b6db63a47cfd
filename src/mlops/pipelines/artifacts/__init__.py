"""Model files: save, pack, verify, load."""
