"""How the text of a file is written: its encoding, its quotes and comments, its header."""
