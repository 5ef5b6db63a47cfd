"""Why a column is not a feature: validation and training ask here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mlops.dataset.table.table import Column, Role
from mlops.dataset.table.values import as_numbers

_LEFT_OUT: Mapping[Role, str] = {
    "id": "id column",
    "group": "group column",
    "time": "time column",
    "excluded": "excluded by the settings",
}


def text_problem(column: Column) -> str | None:
    """Say why a column cannot be one of `text_columns`; None when it can."""
    if column.has_words:
        return None
    if column.role != "feature":
        return f"text_columns names {column.name!r}, which is the {column.role} column."
    return f"text_columns names {column.name!r}, which is a column of kind {column.kind}, not of texts."


def why_left_out(column: Column, cells: pd.Series) -> str | None:
    """Return why a column can be no feature, None when it can.

    Parameters
    ----------
    column
        What the column is.
    cells
        Its values in the rows that are learned from.
    """
    if column.role in _LEFT_OUT:
        return column.unusable if column.role == "id" and column.unusable else _LEFT_OUT[column.role]
    present = cells.dropna()
    if present.empty:
        return "no value in any training row"
    if len(present) == len(cells) and bool((present == present.iloc[0]).all()):
        return "the same value in every training row"
    if column.is_number and np.isnan(as_numbers(present)).all():
        return "no number of sensible size in any training row"
    return column.unusable
