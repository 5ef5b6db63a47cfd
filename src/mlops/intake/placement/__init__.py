"""Where dropped objects belong: their names, their folders, and what is probably meant."""
