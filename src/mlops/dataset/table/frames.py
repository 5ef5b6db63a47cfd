"""The columns of a frame in the form in which a file is read, and what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from mlops.dataset.notation.date_formats import epoch_of
from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import stated_missing_numbers, view_as_missing, view_as_numbers
from mlops.dataset.table.column_names import is_id_name
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.fields import Texts
from mlops.dataset.table.values import as_texts, is_text
from mlops.models.dataset import Contract

_FIRST_COMPACT, _LAST_COMPACT = 19_000_101, 21_001_231  # dates as `20240131`


def clean(column: pd.Series, notation: Notation) -> pd.Series:
    """Return a column of a frame as it is read from a file: numbers, or stripped text, NaN where missing."""
    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
        return pd.Series(_numbers(column, notation), name=column.name)
    texts = as_texts(_written(column) if types.is_datetime64_any_dtype(column) else column)
    levels = texts.cat.categories
    is_missing = view_as_missing(list(levels), notation.kept) | levels.isin(notation.missing)
    return texts.cat.remove_categories(levels[is_missing]).reset_index(drop=True)


def lost_numbers(column: pd.Series, numbers: pd.Series, notation: Notation) -> NDArray[np.bool_]:
    """Mark the cells of a column of a frame that are no number, and do not mean "missing" either.

    Parameters
    ----------
    column, numbers
        The column as it was given, and as numbers, NaN where it is none.
    notation
        How its cells are written, as far as that is stated.
    """
    texts = clean(column, notation)
    if not is_text(texts):
        return np.zeros(len(texts), dtype=bool)
    is_missing = view_as_numbers(list(texts.cat.categories), notation).is_missing
    means_missing = np.append(is_missing, True)[texts.cat.codes.to_numpy()]
    marks: NDArray[np.bool_] = numbers.isna().to_numpy() & ~means_missing
    return marks


def _numbers(column: pd.Series, notation: Notation) -> NDArray[Any]:
    is_whole = types.is_integer_dtype(column) and not column.hasnans
    numbers: NDArray[Any] = (
        column.to_numpy(np.int64) if is_whole else column.to_numpy(np.float64, na_value=np.nan)
    )
    is_missing = np.isin(numbers, stated_missing_numbers(notation))
    return np.where(is_missing, np.nan, numbers) if is_missing.any() else numbers


def _written(moments: pd.Series) -> pd.Series:
    """Return moments as pandas writes them to a file: days alone when none has a time of day."""
    has_times = bool((moments.dropna() != moments.dropna().dt.normalize()).any())
    return moments.astype(object) if has_times else moments.dt.strftime("%Y-%m-%d")


def profile_of(
    column: pd.Series,
    lines: NDArray[np.int64],
    position: int,
    contract: Contract | None,
    notation: Notation,
) -> ColumnProfile:
    """Return what a clean column holds, as a column of a file is profiled; `lines` are those of its cells."""
    name = str(column.name)
    expected = contract.column(name) if contract else None
    if not is_text(column):
        profile, numbers = ColumnProfile(position, name, expected, notation), column.to_numpy(np.float64)
        profile.add_numbers(numbers, lines)
        if not _may_count_days(profile):
            if is_id_name(name):
                profile.distinct.add(numbers[~np.isnan(numbers)].view(np.uint64))
            return profile
        column = as_texts(column)
    profile = ColumnProfile(position, name, expected, notation)
    profile.add_text(_texts(column), lines)
    return profile


def _texts(column: pd.Series) -> Texts:
    values, codes = list(column.cat.categories), np.asarray(column.cat.codes, dtype=np.int64)
    if (is_missing := codes < 0).any():
        values, codes = [*values, ""], np.where(is_missing, len(values), codes)
    return Texts(values, codes)


def _may_count_days(profile: ColumnProfile) -> bool:
    """Whether numbers may be dates: a look at all of them as text decides."""
    if profile.is_decided:
        return profile.is_date
    if profile.range.is_empty or profile.range.infinite:
        return False
    low, high = profile.range.minimum, profile.range.maximum
    return (low >= _FIRST_COMPACT and high <= _LAST_COMPACT) or epoch_of(low, high) is not None
