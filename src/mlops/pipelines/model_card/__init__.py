"""The model card: one page with everything that an approver should know about a version."""
