"""Records of intake: uploads, the trainings that were started for them, and retrainings."""
