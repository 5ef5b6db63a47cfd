"""Corrections to MiniStack, one per module; a service with more than two of them has a folder.

What AWS does, what MiniStack does and which of its names a correction wraps is listed in
`local.emulator.names`; the docstring of the module says what is changed, each has a test in `local/tests`.
"""
