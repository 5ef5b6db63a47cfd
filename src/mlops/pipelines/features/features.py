"""Which columns become features, of what kind, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlops.dataset.table.dates import read_dates_of_year_first
from mlops.dataset.table.table import RAW_DATE, Column, Role, Table
from mlops.dataset.table.values import as_numbers, as_texts
from mlops.models.errors import TrainingError
from mlops.models.settings.group import EVERY_DATE, DatePart
from mlops.pipelines.artifacts.model import MAX_LISTED_CATEGORIES, DateParts, FeatureColumn

_MIN_READABLE = 0.95
_LEFT_OUT: Mapping[Role, str] = {
    "id": "id column",
    "group": "group column",
    "time": "time column",
    "excluded": "excluded by the settings",
}


@dataclass(frozen=True, slots=True)
class FeatureSelection:
    """The features, and for every other column the reason why it is none."""

    features: tuple[FeatureColumn, ...]
    dropped: Mapping[str, str]


def select_features(table: Table, train: np.ndarray) -> FeatureSelection:
    """Choose the features: columns that the table has as such, and that vary in the training rows.

    Parameters
    ----------
    table
        All rows.
    train
        The rows to train on, as a mask.

    Raises
    ------
    TrainingError
        If no column is left; the reasons are given.
    """
    features: list[FeatureColumn] = []
    dropped: dict[str, str] = {}
    for name, column in table.columns.items():
        if column.role == "target":
            continue
        cells = table[name][train]
        if reason := _why_not(column, cells):
            dropped[name] = reason
        else:
            features.append(_feature(column, cells))
    if not features:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:5])
        raise TrainingError(f"No column can be used as a feature ({reasons or 'there is only the target'}).")
    return FeatureSelection(tuple(features), dropped)


def select_date_parts(
    table: Table, train: np.ndarray, requested: DateParts
) -> tuple[dict[str, tuple[DatePart, ...]], list[str]]:
    """Return the parts to take by column, and the dates of which none is taken.

    Parameters
    ----------
    table, train
        All rows, and which of them are trained on.
    requested
        `date_parts` of the settings: parts by column, and under `*` those of every other date.

    Raises
    ------
    TrainingError
        If a named column is absent, or cannot be read as dates.
    """
    dates = [name for name, column in table.columns.items() if _is_raw_date(column, table[name][train])]
    named = {name: tuple(parts) for name, parts in requested.items() if name != EVERY_DATE}
    general = tuple(requested.get(EVERY_DATE, ()))
    parts = {**(dict.fromkeys(dates, general) if general else {}), **named}
    for name in parts:
        if name not in table.columns:
            raise TrainingError(f"date_parts names the column {name!r}, which the file does not have.")
        present = table[name][train].dropna()
        readable = float(read_dates_of_year_first(present).notna().mean()) if len(present) else 0.0
        if readable < _MIN_READABLE:
            raise TrainingError(
                f"Only {readable:.0%} of the column {name!r} can be read as dates without guessing which "
                "number is the month; write them as YYYY-MM-DD, or take the column out of date_parts."
            )
    return parts, [name for name in dates if name not in parts]


def _is_raw_date(column: Column, cells: pd.Series) -> bool:
    return column.role == "feature" and column.kind == "date" and _why_not(column, cells) == RAW_DATE


def _why_not(column: Column, cells: pd.Series) -> str | None:
    """Return why a column can be no feature, None when it can."""
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


def _feature(column: Column, cells: pd.Series) -> FeatureColumn:
    if column.is_number:
        return FeatureColumn(column.name, "numeric")
    levels = sorted(as_texts(cells).cat.categories)
    is_listed = len(levels) <= MAX_LISTED_CATEGORIES
    return FeatureColumn(column.name, "categorical", tuple(levels) if is_listed else None)
