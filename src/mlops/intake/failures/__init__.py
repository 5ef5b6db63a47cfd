"""Trainings that failed: found when they did not report it, and started again."""
