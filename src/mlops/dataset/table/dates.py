"""Columns of dates: which of their cells are dates, and which moments these are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from mlops.dataset.notation.date_formats import ISO_DATES, UNDECIDED, fit, read_moments
from mlops.dataset.table.values import distinct_values

_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*")
_YEAR_FIRST = r"\s*\d{4}[-/.]\d{1,2}"
_SPREADSHEET = re.compile(
    r"\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{2}"
)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_EARLIEST, _LATEST = "1678", "2261"  # what 64-bit nanoseconds reach


@dataclass(frozen=True, slots=True)
class DateView:
    """Distinct values seen as dates of one notation: valid ones, and ISO dates that do not exist."""

    is_valid: NDArray[np.bool_]
    is_impossible: NDArray[np.bool_]
    has_time: NDArray[np.bool_]
    has_zone: NDArray[np.bool_]


def view_as_dates(values: Sequence[str], date_format: str = ISO_DATES) -> DateView:
    """Read distinct values as dates of a notation; with `UNDECIDED` all of them are taken for valid."""
    if date_format != ISO_DATES:
        n = len(values)
        valid = (
            np.ones(n, bool) if date_format == UNDECIDED else fit([v.strip() for v in values], date_format)
        )
        return DateView(valid, *(np.zeros(n, bool) for _ in range(3)))
    return _view_as_iso(values)


def _view_as_iso(values: Sequence[str]) -> DateView:
    n = len(values)
    matches = [_ISO.fullmatch(value) for value in values]
    is_iso = np.fromiter((match is not None for match in matches), bool, n)
    has_zone = np.fromiter((bool(match and match[1]) for match in matches), bool, n)
    has_time = np.fromiter((":" in value for value in values), bool, n) & is_iso
    days = pd.Series([value.strip()[:10] if iso else "" for value, iso in zip(values, is_iso, strict=True)])
    is_day = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna().to_numpy(bool, copy=True)
    for position in np.flatnonzero(is_iso & ~is_day):  # years that nanoseconds do not reach, such as 9999
        is_day[position] = _is_day(days[position])
    hours = np.fromiter((value.strip()[11:13] <= "23" for value in values), bool, n)
    is_valid = is_iso & is_day & (hours | ~has_time)
    return DateView(is_valid, is_iso & ~is_valid, has_time, has_zone)


def are_iso_dates(values: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the values that are written as ISO dates, whether their day exists or not."""
    view = _view_as_iso(values)
    return view.is_valid | view.is_impossible


def is_far_away(text: str) -> bool:
    """Whether a date is of a year that often means a missing date: before 1678 or after 2261."""
    day = text.partition(":")[0]  # a zone such as +0000 is not a year
    return any(not _EARLIEST <= year <= _LATEST for year in _YEAR.findall(day))


def is_spreadsheet_date(text: str) -> bool:
    """Whether the text is one that spreadsheets make of other values: `10-Mar`, `Mar-10`."""
    return bool(_SPREADSHEET.fullmatch(text))


def read_dates(column: pd.Series, date_format: str | None) -> pd.Series:
    """Return a column of dates as moments in UTC, NaT for cells that are not written in its notation.

    Parameters
    ----------
    column
        Dates as text in one notation, or moments already.
    date_format
        As in `Column.date_format`. With None only dates that begin with the year are read: of others it is
        unknown which number is the month.
    """
    if types.is_datetime64_any_dtype(column):
        return column
    if date_format in (None, ISO_DATES, UNDECIDED):
        return read_dates_of_year_first(column)
    codes, values = distinct_values(column)
    moments = read_moments([*(str(value).strip() for value in values), ""], str(date_format))
    cells: pd.Series = moments.iloc[codes].set_axis(column.index)
    cells.name = column.name
    return cells


def read_dates_of_year_first(column: pd.Series) -> pd.Series:
    """Return the dates of a column that begin with the year as moments in UTC, NaT for all other cells."""
    if types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype("string")
    texts = texts.where(texts.str.match(_YEAR_FIRST).fillna(value=False)).astype(object)
    return pd.to_datetime(texts, errors="coerce", utc=True, format="mixed")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
