"""One column as numbers or as text, always in the same form, whatever pandas made of it in this file."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

LARGEST_NUMBER = 1e38  # above it 32-bit floats, in which trees compare, are infinite


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return the column as 64-bit floats; what is no finite number, or beyond 1e38, becomes NaN."""
    if types.is_numeric_dtype(column) or types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        # categories hold each text once, so that a repeated text is parsed once
        codes, levels = pd.factorize(column)
        parsed = pd.to_numeric(pd.Series(levels), errors="coerce").to_numpy(dtype=np.float64)
        numbers = np.append(parsed, np.nan)[codes]
    return np.where(np.abs(numbers) <= LARGEST_NUMBER, numbers, np.nan)


def as_texts(column: pd.Series) -> pd.Series:
    """Return the column as text without outer spaces, NaN where a value is missing.

    Whole numbers are written without a fraction and booleans as `true` and `false`, so that a column read as
    integers in one file and as floats in the next has the same levels in both.
    """
    codes, levels = pd.factorize(column)
    texts = np.full(len(levels) + 1, np.nan, dtype=object)
    texts[:-1] = [(level.strip() if type(level) is str else _text(level)) or np.nan for level in levels]
    return pd.Series(texts[codes], index=column.index, name=column.name, dtype=object)


def _text(value: object) -> str:
    match value:
        case bool() | np.bool_():
            return "true" if value else "false"
        case float() | np.floating():
            number = float(value)
            return str(int(number)) if number.is_integer() else repr(number)
        case _:
            return str(value).strip()
