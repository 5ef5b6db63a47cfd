"""Parts of dates as features, where a team asks for them: month, weekday and the like, never the date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.models.errors import DatasetError, TrainingError
from mlops.models.settings.group import EVERY_DATE, DatePart

DateParts = Mapping[str, Sequence[DatePart]]

_MIN_READABLE = 0.95
_YEAR_FIRST = r"\s*\d{4}[-/.]\d{1,2}"
_READERS: Mapping[DatePart, Callable[[pd.Series], pd.Series]] = {
    "year": lambda moments: moments.dt.year,
    "quarter": lambda moments: moments.dt.quarter,
    "month": lambda moments: moments.dt.month,
    "day": lambda moments: moments.dt.day,
    "weekday": lambda moments: moments.dt.day_of_week + 1,  # Monday is 1
    "day_of_year": lambda moments: moments.dt.day_of_year,
    "hour": lambda moments: moments.dt.hour,
}


def wanted_parts(
    frame: pd.DataFrame, dates: Sequence[str], asked: DateParts
) -> dict[str, tuple[DatePart, ...]]:
    """Return the parts to take by column: those asked for by name, for every other date the general ones.

    Parameters
    ----------
    frame
        The training rows.
    dates
        The columns that were found to hold raw dates.
    asked
        `date_parts` of the settings.

    Raises
    ------
    TrainingError
        If a named column is not there, or cannot be read as dates.
    """
    named = {name: tuple(parts) for name, parts in asked.items() if name != EVERY_DATE}
    general = tuple(asked.get(EVERY_DATE, ()))
    wanted = {**(dict.fromkeys(dates, general) if general else {}), **named}
    for name in wanted:
        if name not in frame.columns:
            raise TrainingError(f"date_parts names the column {name!r}, which the file does not have.")
        readable = float(_moments(frame[name].dropna()).notna().mean()) if frame[name].notna().any() else 0.0
        if readable < _MIN_READABLE:
            raise TrainingError(
                f"Only {readable:.0%} of the column {name!r} can be read as dates without guessing which "
                "number is the month; write them as YYYY-MM-DD, or take the column out of date_parts."
            )
    return wanted


def with_date_parts(frame: pd.DataFrame, parts: DateParts) -> pd.DataFrame:
    """Return the frame with a column `<date>_<part>` of numbers for each part; the frame itself without any.

    Raises
    ------
    DatasetError
        If a date column is not there.
    """
    if missing := [name for name in parts if name not in frame.columns]:
        raise DatasetError(f"The file lacks columns that the model needs: {', '.join(missing)}.")
    added = {}
    for name, of_column in parts.items():
        moments = _moments(frame[name])
        for part in of_column:
            added[part_name(name, part)] = _READERS[part](moments).to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.assign(**added) if added else frame


def part_name(column: str, part: str) -> str:
    """Return the name of the feature that a part of a date becomes."""
    return f"{column}_{part}"


def part_names(parts: DateParts) -> list[str]:
    """Return the names of all features that the parts become."""
    return [part_name(name, part) for name, of_column in parts.items() for part in of_column]


def _moments(column: pd.Series) -> pd.Series:
    """Read dates that begin with the year; any others are read by guess, in each file by another one."""
    if types.is_datetime64_any_dtype(column):
        return column
    texts = column.astype("string")
    texts = texts.where(texts.str.match(_YEAR_FIRST).fillna(value=False))
    return pd.to_datetime(texts, errors="coerce", utc=True, format="mixed")
