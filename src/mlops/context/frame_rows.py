"""Rows of a frame as JSON has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types


def rows_of_frame(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a mapping for each row: missing values as None, moments as text, numbers as Python's own."""
    columns = {str(name): _values(column) for name, column in frame.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: pd.Series) -> list[Any]:
    if types.is_datetime64_any_dtype(column):
        has_times = bool((column.dropna() != column.dropna().dt.normalize()).any())
        column = column.astype(str).where(column.notna()) if has_times else column.dt.strftime("%Y-%m-%d")
    missing = column.isna().tolist()
    return [
        None if is_missing else _plain(value)
        for value, is_missing in zip(column.astype(object).tolist(), missing, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | dict | list) else str(value)
