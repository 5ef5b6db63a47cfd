"""What people see of a scored file: the link in the email, and the page behind it."""
