"""Realised quality: labels are recorded and compared with the predictions; changes are sent."""
