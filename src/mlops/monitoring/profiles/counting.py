"""Counts of columns over the fine bins of a baseline, which add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.monitoring.profiles.binning import BinCounter
from mlops.monitoring.profiles.categorical import (
    count_levels,
    first_levels,
    kind_of,
    numbers_of,
    rows_per_level,
)


def count_each(frame: pd.DataFrame, profiles: Mapping[str, FeatureProfile]) -> dict[str, FeatureCounts]:
    """Count each of the profiled columns over its fine bins."""
    return {name: _count(frame, profile) for name, profile in profiles.items()}


def add_each(parts: Sequence[Mapping[str, FeatureCounts]]) -> dict[str, FeatureCounts]:
    """Add up the counts of each column; parts without any are left out: earlier releases had no outputs."""
    counted = [part for part in parts if part]
    return {name: _add([part[name] for part in counted]) for name in (counted[0] if counted else ())}


def _count(frame: pd.DataFrame, profile: FeatureProfile) -> FeatureCounts:
    if profile.name not in frame.columns:
        nothing = (0,) * len(profile.counts)
        return FeatureCounts(counts=nothing, n_missing=len(frame), n_absent=len(frame))
    column = frame[profile.name]
    if profile.kind == "numeric":
        return _count_numbers(column, profile)
    if kind_of(column) == "numeric" and profile.levels and not any(map(_is_number, profile.levels)):
        # numbers where training had words: another column instead of this one, not new categories
        n_retyped = int(column.notna().sum())
        return FeatureCounts(counts=(0,) * len(profile.counts), n_missing=len(column), n_retyped=n_retyped)
    levels, n_missing = rows_per_level(column)
    return count_levels(profile, levels, n_missing=n_missing)


def _count_numbers(column: pd.Series[Any], profile: FeatureProfile) -> FeatureCounts:
    values, n_retyped = numbers_of(column)
    counted = _counter(profile.edges).count(values)
    n_new = int(counted.counts[_gap_bins(profile)].sum())
    return FeatureCounts(
        counts=tuple(counted.counts.tolist()),
        n_missing=counted.n_missing,
        n_retyped=n_retyped,
        n_new=n_new,
        minimum=counted.minimum,
        maximum=counted.maximum,
    )


@lru_cache(maxsize=256)  # 96 to 352 KiB each; large files come in pieces, all over the same bins
def _counter(edges: tuple[float, ...]) -> BinCounter:
    return BinCounter(edges)


def _gap_bins(profile: FeatureProfile) -> NDArray[np.bool_]:
    """Mark the fine bins between the single values of training; none of those between quantiles."""
    bins = np.asarray(profile.bins, dtype=np.intp)
    is_gap: NDArray[np.bool_] = (bins == profile.n_distinct) & (profile.binning == "values")
    return is_gap


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _add(parts: Sequence[FeatureCounts]) -> FeatureCounts:
    # plain sums: an array made of tuples costs twice as much as adding them up
    counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
    new: dict[str, int] = {}
    for part in parts:
        for level, n in part.new_levels.items():
            new[level] = new.get(level, 0) + n
    lowest = [part.minimum for part in parts if part.minimum is not None]
    highest = [part.maximum for part in parts if part.maximum is not None]
    return FeatureCounts(
        counts=counts,
        n_missing=sum(part.n_missing for part in parts),
        n_absent=sum(part.n_absent for part in parts),
        n_retyped=sum(part.n_retyped for part in parts),
        n_new=sum(part.n_new for part in parts),
        new_levels=first_levels(new.items()),
        minimum=min(lowest, default=None),
        maximum=max(highest, default=None),
    )
