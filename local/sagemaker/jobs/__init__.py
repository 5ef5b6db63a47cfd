"""Training and processing jobs: the job, its life, its container and its process."""
