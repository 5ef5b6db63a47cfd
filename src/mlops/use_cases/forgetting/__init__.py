"""`mlops forget`: what is stored about a person is removed, also from older versions."""
