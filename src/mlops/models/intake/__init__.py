"""Records of intake: uploads, and the trainings that were started for them."""
