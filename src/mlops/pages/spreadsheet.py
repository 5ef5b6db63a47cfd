"""Cells of CSV files for people: text that a spreadsheet would run as a formula gets an apostrophe."""

from __future__ import annotations

import re

# with the forms of full width, which some spreadsheets take for the plain ones
_FORMULA_START = re.compile(r"\s*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def without_formula(text: str) -> str:
    """Return the text of a cell, with an apostrophe before it when a spreadsheet would run it.

    Numbers with a sign stay as they are.

    References
    ----------
    OWASP, CSV Injection.
    """
    is_formula = _FORMULA_START.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text
