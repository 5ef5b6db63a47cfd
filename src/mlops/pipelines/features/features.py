"""Which columns become features, of what kind, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlops.dataset.features.date_parts import DateParts, unreadable_dates
from mlops.dataset.features.directions import why_no_direction
from mlops.dataset.features.usability import text_problem, why_left_out
from mlops.dataset.table.table import RAW_DATE, Column, Table
from mlops.dataset.table.values import as_texts
from mlops.models.errors import TrainingError
from mlops.models.settings.columns import EVERY_DATE, DatePart
from mlops.pipelines.artifacts.model import MAX_LISTED_CATEGORIES, FeatureColumn


@dataclass(frozen=True, slots=True)
class FeatureSelection:
    """The features, and for every other column the reason why it is not one."""

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
        if reason := why_left_out(column, cells):
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
        if reason := unreadable_dates(table[name][train], table.columns[name].date_format):
            raise TrainingError(f"{reason} Or take the column out of date_parts.")
    return parts, [name for name in dates if name not in parts]


def select_texts(table: Table, requested: Iterable[str]) -> tuple[str, ...]:
    """Return the columns whose words are learned from.

    Raises
    ------
    TrainingError
        If a requested column is absent, or does not contain texts.
    """
    for name in requested:
        if name not in table.columns:
            raise TrainingError(f"text_columns names the column {name!r}, which the file does not have.")
        if problem := text_problem(table.columns[name]):
            raise TrainingError(f"{problem} Take the column out of text_columns.")
    return tuple(name for name, column in table.columns.items() if column.has_words)


def refuse_unknown_directions(table: Table, names: Iterable[str]) -> None:
    """Refuse directions of what is not a column of numbers.

    Parameters
    ----------
    table
        All rows, with the columns made of dates and texts.

    Raises
    ------
    TrainingError
        If a column of `[monotonic]` is absent, or does not contain numbers.
    """
    numbers = [name for name, column in table.columns.items() if column.is_number]
    for name in names:
        if problem := why_no_direction(name, table.columns, numbers):
            raise TrainingError(problem)


def date_formats(table: Table, names: Iterable[str]) -> dict[str, str]:
    """Return how the dates of some columns are written, for those whose notation is known."""
    formats = {name: table.columns[name].date_format for name in names}
    return {name: written for name, written in formats.items() if written}


def _is_raw_date(column: Column, cells: pd.Series) -> bool:
    return column.role == "feature" and column.kind == "date" and why_left_out(column, cells) == RAW_DATE


def _feature(column: Column, cells: pd.Series) -> FeatureColumn:
    if column.is_number:
        return FeatureColumn(column.name, "numeric")
    if column.has_words:
        return FeatureColumn(column.name, "text")
    levels = sorted(as_texts(cells).cat.categories)
    is_listed = len(levels) <= MAX_LISTED_CATEGORIES
    return FeatureColumn(column.name, "categorical", tuple(levels) if is_listed else None)
