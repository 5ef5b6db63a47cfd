"""Pages: templates, the one style sheet, drawings, and numbers as people read them."""
