"""One pass over a file: what its form and its columns look like."""
