"""Cells of CSV files for people: text that a spreadsheet would run as a formula gets an apostrophe."""

from __future__ import annotations

import re

# what a formula begins with, also in full width, which some spreadsheets take for the plain form
FORMULA_SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
_FORMULA_START = re.compile(rf"\s*[{re.escape(FORMULA_SIGNS)}\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def without_formula(text: str) -> str:
    """Return the text of a cell, with an apostrophe before it when a spreadsheet would run it.

    Numbers with a sign stay as they are.

    References
    ----------
    OWASP, CSV Injection.
    """
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would run the text of a cell; numbers with a sign are none."""
    return _FORMULA_START.match(text) is not None and _NUMBER.fullmatch(text) is None
