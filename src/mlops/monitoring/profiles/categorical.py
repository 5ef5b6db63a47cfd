"""How a column of a frame is counted: as numbers or as categories; the profile of a categorical feature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift.profiles import FeatureCounts, FeatureKind, FeatureProfile

MAX_LEVELS = 50
MIN_LEVEL_SHARE = 0.01
MAX_RARE_LEVELS = 1000
MAX_NEW_LEVELS = 50


def kind_of(column: pd.Series[Any]) -> FeatureKind:
    """Return how the column's dtype says it is to be read; truth values are categories."""
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return "numeric" if is_number else "categorical"


def numbers_of(column: pd.Series[Any]) -> tuple[NDArray[Any], int]:
    """Return the column as numbers with NaN for missing, and how many values are not numbers."""
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


def categorical_profile(
    name: str, levels: Mapping[str, int], *, n_rows: int, importance: float | None = None
) -> FeatureProfile:
    """Profile the training rows of one feature, given as rows per level.

    Levels with at least 1 % of the rows, at most 50, are bins; the rest is one bin, the last. The rare levels
    are remembered by name as long as there are at most 1,000, to tell a new category from a rare one.
    """
    ranked = sorted(levels.items(), key=lambda entry: (-entry[1], entry[0]))
    kept = [level for level, n in ranked[:MAX_LEVELS] if n >= MIN_LEVEL_SHARE * n_rows]
    rare = sorted(level for level, _ in ranked[len(kept) :])
    n_known = sum(levels.values())
    n_kept = sum(levels[level] for level in kept)
    return FeatureProfile(
        name=name,
        kind="categorical",
        binning="levels",
        n_rows=n_rows,
        n_missing=n_rows - n_known,
        n_distinct=len(levels),
        counts=(*(levels[level] for level in kept), n_known - n_kept),
        bins=tuple(range(len(kept) + 1)),
        levels=tuple(kept),
        rare_levels=tuple(rare) if len(rare) <= MAX_RARE_LEVELS else (),
        n_singletons=sum(n == 1 for n in levels.values()),
        importance=importance,
    )


def count_levels(profile: FeatureProfile, levels: Mapping[str, int], *, n_missing: int) -> FeatureCounts:
    """Count a batch, given as rows per level, over the levels of the profile."""
    binned = set(profile.levels)
    others = {level: n for level, n in levels.items() if level not in binned}
    counts = (*(levels.get(level, 0) for level in profile.levels), sum(others.values()))
    new = {} if has_open_vocabulary(profile) else _without(others, profile.rare_levels)
    return FeatureCounts(
        counts=counts, n_missing=n_missing, n_new=sum(new.values()), new_levels=first_levels(new.items())
    )


def has_open_vocabulary(profile: FeatureProfile) -> bool:
    """Tell whether the feature has so many rare levels that a new one is nothing to report."""
    return profile.n_distinct > len(profile.levels) + len(profile.rare_levels)


def first_levels(levels: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Keep the alphabetically first levels: a rule under which batches still add up exactly."""
    return dict(sorted(levels)[:MAX_NEW_LEVELS])


def rows_per_level(column: pd.Series[Any]) -> tuple[dict[str, int], int]:
    """Return the rows of every level, as text, and the number of missing values."""
    codes, values = _encode(column)
    counts = (
        np.bincount(codes[codes >= 0], minlength=len(values)) if len(codes) else np.zeros(len(values), int)
    )
    levels: dict[str, int] = {}
    for value, n in zip(values, counts.tolist(), strict=True):
        if n:
            level = level_text(value)
            levels[level] = levels.get(level, 0) + n
    return levels, len(column) - sum(levels.values())


def level_text(value: object) -> str:
    """Write a level as text: 1 and 1.0 are the same, as a missing value turns whole numbers into floats."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _encode(column: pd.Series[Any]) -> tuple[Any, Any]:
    if isinstance(cells := column.array, pd.Categorical):
        return cells.codes, cells.categories
    try:
        return pd.factorize(column)
    except TypeError:  # lists and the like cannot be hashed
        return pd.factorize(column.map(str))


def _without(levels: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    excluded = set(names)
    return {level: n for level, n in levels.items() if level not in excluded}
