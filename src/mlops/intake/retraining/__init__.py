"""Retraining: a champion is trained again on accepted files and on scored rows whose outcome is known."""
