"""Parts of dates as numbers: what a model learns from a date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from mlops.dataset.table.dates import read_dates
from mlops.dataset.table.values import as_numbers
from mlops.models.errors import DatasetError
from mlops.models.settings.columns import DatePart

type DateParts = Mapping[str, Sequence[DatePart]]

MIN_READABLE = 0.95
_READERS: Mapping[DatePart, Callable[[pd.Series], pd.Series]] = {
    "year": lambda moments: moments.dt.year,
    "quarter": lambda moments: moments.dt.quarter,
    "month": lambda moments: moments.dt.month,
    "day": lambda moments: moments.dt.day,
    "weekday": lambda moments: moments.dt.day_of_week + 1,  # Monday is 1
    "day_of_year": lambda moments: moments.dt.day_of_year,
    "hour": lambda moments: moments.dt.hour,
}


def date_part_values(
    frame: pd.DataFrame, parts: DateParts, formats: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Return the numbers of each feature `<date>_<part>` that is made of a date.

    Parameters
    ----------
    parts
        Which parts are taken of which column.
    formats
        How the dates of a column are written; without an entry they begin with the year.

    Raises
    ------
    DatasetError
        If a date column is absent.
    """
    if missing := [name for name in parts if name not in frame.columns]:
        raise DatasetError(f"The file lacks columns that the model needs: {', '.join(missing)}.")
    values = {}
    for name, of_column in parts.items():
        dates = read_dates(frame[name], formats.get(name))
        for part in of_column:
            numbers = _READERS[part](dates).to_numpy(dtype=np.float64, na_value=np.nan)
            values[part_name(name, part)] = numbers
    return values


def moments(cells: pd.Series, date_format: str | None) -> np.ndarray:
    """Return a column of times or of numbers as numbers that order the rows, NaN where it is none."""
    if types.is_numeric_dtype(cells):
        return as_numbers(cells)
    dates = read_dates(cells, date_format)
    numbers: np.ndarray = dates.astype("int64").to_numpy(dtype=np.float64)
    return np.where(dates.isna().to_numpy(), np.nan, numbers)


def unreadable_dates(cells: pd.Series, date_format: str | None, *, of_all: bool = False) -> str | None:
    """Say that too few cells of a column can be read as dates; None when enough can.

    Parameters
    ----------
    cells
        A column as a table has it, missing cells included.
    date_format
        The notation of the column, None when it begins with the year or is not known.
    of_all
        Whether missing cells count as unreadable ones.
    """
    present = cells if of_all else cells.dropna()
    readable = float(read_dates(present, date_format).notna().mean()) if len(present) else 0.0
    if readable >= MIN_READABLE:
        return None
    return (
        f"Only {readable:.0%} of the column {cells.name!r} can be read as dates without guessing which "
        "number is the month; write them as YYYY-MM-DD, or state how they are written in model.toml: "
        f"[columns.{cells.name}] dateformat."
    )


def part_name(column: str, part: str) -> str:
    """Return the name of the feature that a part of a date becomes."""
    return f"{column}_{part}"
