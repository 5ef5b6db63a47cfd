"""Rows of a request, as JSON has them, in the form of a frame that is read like a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from mlops.dataset.notation.stated import stated_notation
from mlops.dataset.validation.scoring import ScoringTerms
from mlops.dataset.validation.survey.names import matched_names
from mlops.models.errors import RequestError

type Row = Mapping[str, Any]

_NUMBERS = ("integer", "number")
_TRUTH = {True: "true", False: "false"}
_LARGEST_WHOLE = 2**53  # beyond it a 64-bit float has no whole number of its own


def frame_of_rows(rows: Sequence[Row], terms: ScoringTerms, needed: Sequence[str]) -> pd.DataFrame:
    """Return rows as a frame; a column that a row does not name is missing in it.

    Numbers stay numbers in columns of numbers and are written out in all others. Truth values are written as
    the column writes them, else as `True` and `False`.

    Parameters
    ----------
    terms
        What the columns contain and how they are written.
    needed
        The columns that at least one row must name.

    Raises
    ------
    RequestError
        If a needed column is absent, or a value is not a text, a number, a truth value or null.
    """
    written = list(dict.fromkeys(name for row in rows for name in row))
    names, _ = matched_names(written, terms.contract)
    if absent := [name for name in needed if name not in names]:
        raise RequestError(
            f"The rows lack columns that the model needs: {', '.join(absent)}. Send null for a value that is"
            " missing."
        )
    cells = {
        name: _column([row.get(key) for row in rows], name, terms)
        for key, name in zip(written, names, strict=True)
    }
    return pd.DataFrame(cells, index=pd.RangeIndex(len(rows)), copy=False)


def _column(values: list[Any], name: str, terms: ScoringTerms) -> pd.Series:
    kinds = set(map(type, values))
    if not kinds <= {NoneType, int, float} or not _are_finite(values):
        _refuse_others(values, name)
    expected = terms.contract.column(name) if terms.contract else None
    is_number = expected is not None and expected.kind in _NUMBERS
    if is_number and kinds <= {NoneType, int, float}:
        return _numbers(values, kinds)
    levels = expected.levels or () if expected else ()
    # a number among texts is read as the column writes numbers
    decimal = (
        stated_notation(expected, terms.settings.format.of("inference"), ".").decimal if is_number else "."
    )
    return pd.Series([_cell(value, levels, decimal) for value in values], dtype=object)


def _are_finite(values: list[Any]) -> bool:
    try:
        return all(map(math.isfinite, filter(None, values)))
    except OverflowError:  # a whole number beyond all floats
        return False


def _refuse_others(values: list[Any], name: str) -> None:
    for number, value in enumerate(values, start=1):
        if not _is_cell(value):
            raise RequestError(
                f"Row {number}, column {name}: a value must be a text, a finite number, true, false or null."
            )


def _is_cell(value: Any) -> bool:
    if type(value) is str:
        return "\0" not in value
    return value is None or type(value) is bool or (type(value) in (int, float) and _are_finite([value]))


def _numbers(values: list[Any], kinds: set[type]) -> pd.Series:
    """Return whole numbers as such when none is missing, like a column of a file."""
    if kinds == {int} and all(abs(value) < _LARGEST_WHOLE for value in values):
        return pd.Series(np.array(values, np.int64))
    return pd.Series(np.array(values, np.float64))  # None becomes NaN


def _cell(value: Any, levels: Sequence[str], decimal: str) -> str | None:
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return next((level for level in levels if level.lower() == _TRUTH[value]), str(value))
    is_whole = type(value) is int or value.is_integer()
    return str(int(value)) if is_whole else repr(value).replace(".", decimal)
