"""Corrections to MiniStack 1.5.33, one per module.

Each module's docstring says what AWS does, what MiniStack does and what is changed; each has its own test in
`local/tests`. When MiniStack learns one of them, its module and its test are deleted.
"""

import pkgutil
from importlib import import_module

FIXES = tuple(import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))


def install_fixes() -> None:
    """Apply every correction to the MiniStack of this process."""
    for fix in FIXES:
        fix.install()
