"""One column as numbers or as text, always in the same form, whatever pandas made of it in this file."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return the column as 64-bit floats; what is no finite number becomes NaN."""
    if types.is_numeric_dtype(column) or types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def as_texts(column: pd.Series) -> pd.Series:
    """Return the column as text with NaN where a value is missing.

    Whole numbers are written without a fraction and booleans as `true` and `false`, so that a column read as
    integers in one file and as floats in the next has the same levels in both.
    """
    if types.is_bool_dtype(column):
        return column.map({True: "true", False: "false"}).astype(object)
    if types.is_float_dtype(column):
        return column.astype(object).map(_number_text, na_action="ignore").astype(object)
    if types.is_integer_dtype(column):
        return column.astype(object).map(str, na_action="ignore").astype(object).where(column.notna(), np.nan)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return as_texts(column.astype(object))
    texts = column.map(_value_text, na_action="ignore").astype(object)
    return texts.where(texts.notna() & (texts != ""), np.nan)


def as_labels(column: pd.Series) -> pd.Series:
    """Return the target column as text labels; spaces around a label do not make it another one."""
    return as_texts(column).map(str.strip, na_action="ignore")


def _number_text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _value_text(value: object) -> str:
    match value:
        case bool() | np.bool_():
            return "true" if value else "false"
        case float() | np.floating():
            return _number_text(float(value))
        case _:
            return str(value).strip()
