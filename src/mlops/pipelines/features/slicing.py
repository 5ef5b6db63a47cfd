"""Slices: parts of the rows by the values of one column."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from mlops.dataset.features.date_parts import moments
from mlops.dataset.features.slices import FEW_NUMBERS, has_levels, quartile_ranges
from mlops.dataset.table.table import Column, Table
from mlops.dataset.table.values import as_texts, is_text
from mlops.models.settings.group import GroupSettings
from mlops.pages.number_format import counted

MAX_LEVELS = 10
MISSING = "missing"


def sliced_columns(table: Table, settings: GroupSettings) -> tuple[str, ...]:
    """Return the columns of `[slices]` whose values may be shown: those that do not name persons or rows."""
    named = (table.columns[name] for name in settings.slices.columns)
    return tuple(column.name for column in named if not _names_rows(column))


def slice_notes(table: Table, settings: GroupSettings) -> list[str]:
    """Say which columns of `[slices]` are not used."""
    unused = [name for name in settings.slices.columns if name not in sliced_columns(table, settings)]
    if not unused:
        return []
    return [f"slices.columns is not used for columns that name persons or rows: {', '.join(unused)}."]


def slices_by_column(table: Table, name: str, train: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the slices of a column as text and mask; dates are cut at quartiles as numbers are.

    Parameters
    ----------
    table
        All rows.
    name
        The column.
    train
        Marks the rows that decide on levels and quartiles.
    """
    cells, column = table[name], table.columns[name]
    if column.kind == "date" and is_text(cells):
        times = pd.Series(moments(cells, column.date_format))
        if times.nunique() > FEW_NUMBERS:
            yield from slices_of(times, times[train], write=_day)
            return
    yield from slices_of(cells, cells[train])


def slices_of(
    cells: pd.Series,
    reference: pd.Series,
    *,
    max_levels: int = MAX_LEVELS,
    write: Callable[[float], str] = "{:.6g}".format,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the rows by level, or by quartile of the numbers, and those without a value.

    Parameters
    ----------
    cells
        The column, as categories or numbers.
    reference
        The cells that decide on levels and quartiles.
    max_levels
        The most frequent levels are a slice each, all others are one.
    write
        Writes a number of the column.
    """
    missing = cells.isna().to_numpy()
    if missing.any():
        yield MISSING, missing
    if has_levels(cells, reference):
        yield from _by_level(as_texts(cells), as_texts(reference), max_levels)
        return
    numbers = cells.to_numpy(dtype=np.float64)
    for part in quartile_ranges(reference, write):
        is_part = part.contains(numbers)
        if is_part.any():
            yield part.name, is_part


def _by_level(cells: pd.Series, reference: pd.Series, max_levels: int) -> Iterator[tuple[str, np.ndarray]]:
    levels = reference.value_counts().index[:max_levels]
    for level in levels:
        yield str(level), (cells == level).to_numpy()
    is_rest = (cells.notna() & ~cells.isin(levels)).to_numpy()
    if is_rest.any():
        yield f"other ({counted(cells[is_rest].nunique(), 'level')})", is_rest


def _names_rows(column: Column) -> bool:
    is_named = column.role == "id" or column.is_like_id or column.personal is not None
    return is_named and not column.is_number


def _day(nanoseconds: float) -> str:
    return f"{pd.Timestamp(int(nanoseconds)):%Y-%m-%d}"
