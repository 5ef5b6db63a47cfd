"""The data structures that the packages exchange: frozen, and lossless as JSON."""
