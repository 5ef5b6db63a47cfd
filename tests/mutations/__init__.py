"""Changes that would weaken the system, and the tests that notice each of them."""
