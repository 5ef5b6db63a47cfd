"""Shadow scoring: the candidate that waits for approval scores what the champion has scored."""
