"""What is asked about a stack and its account: resources, quotas, logs, identity."""
