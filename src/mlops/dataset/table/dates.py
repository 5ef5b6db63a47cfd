"""How dates are written: the notations that are recognised, and the one that is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

ISO_DATES = "ISO"  # YYYY-MM-DD, with or without a time and a zone

_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMERIC_OTHER = re.compile(r"\s*(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2}|\d{8})\s*")
_YEAR_FIRST = r"\s*\d{4}[-/.]\d{1,2}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME = r"(?:[ T]+\d.*)?"
# the names are those of `Column.date_format`; a date is of the first notation that it has
_NOTATIONS = re.compile(
    rf"(?P<year_first>[12]\d{{3}}[-/.]\d{{1,2}}(?:[-/.]\d{{1,2}}{_TIME})?|9999[-/.]\d{{1,2}}[-/.]\d{{1,2}})"
    rf"|(?P<day_or_month_first>\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}}){_TIME})"
    rf"|(?P<month_name>(?:\d{{1,2}}[ .-]*{_MONTH}[ .,-]*\d{{2,4}}|{_MONTH}[ .-]*\d{{1,2}},?[ ]+\d{{4}})"
    rf"{_TIME})",
    re.IGNORECASE,
)
_SPREADSHEET = re.compile(
    r"\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{2}"
)
# smallest, largest, and what numbers of that size are in a column whose name announces a date
_NUMBERS = (
    (19_000_101, 21_001_231, "days written as 20241231"),
    (20_000, 60_000, "a spreadsheet's serial numbers"),
    (5e8, 4e9, "seconds since 1970"),
    (5e11, 4e12, "milliseconds since 1970"),
)


@dataclass(frozen=True, slots=True)
class DateView:
    """Distinct values seen as dates: valid ISO dates, impossible ones (`2024-02-30`), other notations."""

    is_valid: NDArray[np.bool_]
    is_impossible: NDArray[np.bool_]
    is_other: NDArray[np.bool_]
    has_time: NDArray[np.bool_]
    has_zone: NDArray[np.bool_]


def view_as_dates(values: Sequence[str]) -> DateView:
    """Read distinct values as ISO dates, with or without a time of day and a zone."""
    n = len(values)
    matches = [_ISO.fullmatch(value) for value in values]
    is_iso = np.fromiter((match is not None for match in matches), bool, n)
    has_zone = np.fromiter((bool(match and match[1]) for match in matches), bool, n)
    has_time = np.fromiter((":" in value for value in values), bool, n) & is_iso
    is_other = np.fromiter((bool(_NUMERIC_OTHER.fullmatch(value)) for value in values), bool, n)
    days = pd.Series([value.strip()[:10] if iso else "" for value, iso in zip(values, is_iso, strict=True)])
    is_day = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna().to_numpy(bool, copy=True)
    for position in np.flatnonzero(is_iso & ~is_day):  # years that nanoseconds do not reach, such as 9999
        is_day[position] = _is_day(days[position])
    hours = np.fromiter((value.strip()[11:13] <= "23" for value in values), bool, n)
    is_valid = is_iso & is_day & (hours | ~has_time)
    return DateView(is_valid, is_iso & ~is_valid, is_other & ~is_iso, has_time, has_zone)


def may_hold_dates(values: Sequence[str]) -> bool:
    """Whether any of the values holds an ISO date; one search over all of them."""
    return bool(_ISO_DAY.search("\n".join(values)))


def date_format(counts: Mapping[str, int], *, min_share: float) -> str | None:
    """Return the notation of a column of dates: that of most of its dates.

    Parameters
    ----------
    counts
        How often each distinct text occurs, stripped, missing ones left out.
    min_share
        The share of the cells (0..1) that must look like dates.

    Returns
    -------
    str or None
        `ISO`, `year_first`, `day_or_month_first`, `month_name`; None when the column holds no dates.
    """
    notations: Counter[str] = Counter()
    for text, count in counts.items():
        if match := _NOTATIONS.fullmatch(text):
            is_iso = match.lastgroup == "year_first" and _ISO.fullmatch(text)
            notations[ISO_DATES if is_iso else str(match.lastgroup)] += count
    total = sum(counts.values())
    return notations.most_common(1)[0][0] if notations.total() >= max(min_share * total, 1) else None


def dates_as_numbers(minimum: float, maximum: float) -> str | None:
    """Say what numbers of this range are when the column's name announces a date; None for nothing known."""
    return next((what for start, end, what in _NUMBERS if start <= minimum and maximum <= end), None)


def is_spreadsheet_date(text: str) -> bool:
    """Whether the text is one that spreadsheets make of other values: `10-Mar`, `Mar-10`."""
    return bool(_SPREADSHEET.fullmatch(text))


def read_dates(column: pd.Series) -> pd.Series:
    """Return a column of dates as moments in UTC, NaT for what is none; each cell is read for itself."""
    if types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype(object)  # of categories pandas would make categories again
    return pd.to_datetime(texts, errors="coerce", utc=True, format="mixed")


def read_dates_of_year_first(column: pd.Series) -> pd.Series:
    """Return as `read_dates` those that begin with the year: any other one could only be guessed."""
    if types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype("string")
    return read_dates(texts.where(texts.str.match(_YEAR_FIRST).fillna(value=False)))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
