"""Cells that hold what nobody meant to write: outer spaces, characters that cannot be seen, formulas.

Distinct values go in, and a mark for each comes out. One search over all of them together comes first, since
most columns have nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.table.cells import view_as_numbers

type Marks = NDArray[np.bool_]

_EDGE_SPACE = re.compile(r"(?m)^[ \t\u00a0]|[ \t\u00a0]$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\u202a-\u202e]")
_FORMULA_SIGNS = "=+-@\t\r"
_FORMULA = re.compile(r"(?m)^[=+\-@\t\r]")


def with_outer_space(values: Sequence[str]) -> Marks:
    """Mark values with space around them; those of nothing but space are missing."""
    if not _EDGE_SPACE.search("\n".join(values)):
        return _none(values)
    return np.array([value != value.strip() and bool(value.strip()) for value in values])


def with_control_characters(values: Sequence[str]) -> Marks:
    """Mark values with characters that cannot be seen."""
    if not _CONTROL.search("\n".join(values)):
        return _none(values)
    return np.array([bool(_CONTROL.search(value)) for value in values])


def like_formulas(values: Sequence[str], decimal: str) -> Marks:
    """Mark values that a spreadsheet would run; signed numbers and dashes for "missing" are none."""
    joined = "\n".join(values)
    if not any(sign in joined for sign in _FORMULA_SIGNS) or not _FORMULA.search(joined):
        return _none(values)
    view = view_as_numbers(values, decimal)
    starts = np.array([bool(_FORMULA.match(value)) for value in values])
    marks: Marks = starts & ~(view.is_number | view.is_missing | view.is_like)
    return marks


def _none(values: Sequence[str]) -> Marks:
    return np.zeros(len(values), dtype=bool)
