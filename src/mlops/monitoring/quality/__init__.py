"""Realised quality: scores with analytic intervals from counts that add up, and their verdict."""
