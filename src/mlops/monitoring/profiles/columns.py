"""What a column of a frame holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift import FeatureKind


def kind_of(column: pd.Series[Any]) -> FeatureKind:
    """Return how the column's dtype says it is to be read; truth values are categories."""
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return "numeric" if is_number else "categorical"


def numbers_of(column: pd.Series[Any]) -> tuple[NDArray[Any], int]:
    """Return the column as numbers with NaN for missing, and how many values are no numbers."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
        values = column.to_numpy()
        return (values.astype(np.float64) if values.dtype.kind == "b" else values), 0
    n_known = int(column.notna().sum())
    if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "cm":
        return np.full(
            len(column), np.nan
        ), n_known  # dates, durations and complex numbers convert to nonsense
    text = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    parsed = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return parsed, n_known - int(np.count_nonzero(~np.isnan(parsed)))
