"""Signed links: what they grant, the one signer of all of them, and its keys."""
