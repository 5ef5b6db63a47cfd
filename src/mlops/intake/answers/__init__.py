"""Answers to objects that are not used: in a wrong place, without content, settings, or after faults."""
