"""The cells of a column as numbers or as categories, always in the same form, whatever their dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

LARGEST_NUMBER = 1e38  # above it 32-bit floats, in which trees compare, are infinite


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return the column as 64-bit floats; what is not a finite number, or beyond 1e38, becomes NaN."""
    if types.is_numeric_dtype(column) or types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, values = distinct_values(column)
        parsed = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64)
        numbers = np.append(parsed, np.nan)[codes]
    return np.where(np.abs(numbers) <= LARGEST_NUMBER, numbers, np.nan)


def as_texts(column: pd.Series) -> pd.Series:
    """Return the column as categories: text without outer spaces, NaN where a value is missing.

    Whole numbers are written without a fraction, so that a column read as integers in one file and as floats
    in the next has the same categories in both; truth values as pandas writes them to a file. Each category
    has a row.
    """
    codes, values = distinct_values(column)
    has_rows = np.bincount(codes + 1, minlength=len(values) + 1)[1:] > 0
    if is_text(column) and has_rows.all() and all(type(v) is str and v and v == v.strip() for v in values):
        return column  # as a reader made it
    texts = np.full(len(values), np.nan, dtype=object)
    texts[has_rows] = [
        (value.strip() if type(value) is str else _text(value)) or np.nan for value in values[has_rows]
    ]
    places, levels = pd.factorize(texts)
    cells = pd.Categorical.from_codes(np.append(places, -1)[codes], categories(levels))
    return pd.Series(cells, index=column.index, name=column.name)


def as_categories(column: pd.Series) -> pd.Series:
    """Return the column with each of its texts once, so that no later step looks at every cell."""
    codes, values = distinct_values(column)
    cells = pd.Categorical.from_codes(codes, categories(values))
    return pd.Series(cells, index=column.index, name=column.name)


def categories(values: np.ndarray | Sequence[str]) -> pd.Index[Any]:
    """Return distinct values as the categories of a column, without a guess at their type."""
    index: pd.Index[Any] = pd.Index(values, dtype=object)
    return index


def is_text(column: pd.Series) -> bool:
    """Whether the column holds categories, not numbers."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def missing_cells(column: pd.Series) -> NDArray[np.bool_]:
    """Mark the cells without a value, as `column.isna()` does, but at once for the columns of a reader."""
    marks: NDArray[np.bool_]
    if isinstance(cells := column.array, pd.Categorical):
        marks = cells.codes < 0
    elif column.dtype == np.float64:
        marks = np.isnan(column.to_numpy())
    else:
        marks = column.isna().to_numpy()
    return marks


def distinct_values(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each cell among the distinct values, -1 where it is missing, and those."""
    if isinstance(cells := column.array, pd.Categorical):  # `column.cat` takes ten times as long
        return cells.codes, cells.categories.to_numpy()
    codes, values = pd.factorize(column)
    return codes, np.asarray(values, dtype=object)


def with_values(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """Return the frame with other values in one column; `assign` takes no column named `self`."""
    changed = frame.copy(deep=False)
    changed[name] = values
    return changed


def _text(value: object) -> str:
    match value:
        case bool() | np.bool_():
            return str(bool(value))
        case float() | np.floating():
            number = float(value)
            return str(int(number)) if number.is_integer() else repr(number)
        case _:
            return str(value).strip()
