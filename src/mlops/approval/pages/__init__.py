"""The pages behind the links in emails: approval and rollback."""
