"""The profile of a batch: counts over the bins of a baseline, which add up over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile, FeatureCounts, FeatureProfile
from mlops.models.errors import DriftError
from mlops.monitoring.profiles.binning import BinCounter
from mlops.monitoring.profiles.categorical import (
    count_levels,
    first_levels,
    kind_of,
    numbers_of,
    rows_per_level,
)
from mlops.monitoring.profiles.segments import add_segments, count_segments


def profile_batch(
    frame: pd.DataFrame,
    baseline: BaselineStatistics,
    *,
    outputs: pd.DataFrame | None = None,
    is_scored: NDArray[np.bool_] | None = None,
) -> BatchProfile:
    """Count a batch over the fine bins of the baseline.

    A column that is absent, empty or of another type is counted as such and never raises; so is a column
    that training did not have. `outputs` are the predictions and probabilities of the rows that were scored,
    which `is_scored` marks; by default all.
    """
    if not frame.columns.is_unique:
        frame = frame.loc[:, ~frame.columns.duplicated()]
    expected = set(baseline.features) | set(baseline.excluded)
    return BatchProfile(
        schema_hash=baseline.schema_hash,
        n_rows=len(frame),
        features=count_each(frame, baseline.features),
        extra_columns={
            str(name): int(frame[name].notna().sum()) for name in frame.columns if str(name) not in expected
        },
        outputs={} if outputs is None else count_each(outputs, baseline.outputs),
        segments=count_segments(frame, baseline, count_each, outputs, is_scored),
    )


def empty_batch(baseline: BaselineStatistics) -> BatchProfile:
    """Return the profile of no rows: adding it changes nothing."""
    return BatchProfile(
        schema_hash=baseline.schema_hash,
        n_rows=0,
        features={
            name: FeatureCounts(counts=(0,) * len(profile.counts))
            for name, profile in baseline.features.items()
        },
    )


def merge(first: BatchProfile, *others: BatchProfile) -> BatchProfile:
    """Add up batches: the result is the profile of all their rows together, in whatever order.

    Raises
    ------
    DriftError
        If the batches were counted over different baselines.
    """
    batches = (first, *others)
    if any(batch.schema_hash != first.schema_hash for batch in others):
        raise DriftError("Batches can be merged only when they were profiled against the same baseline.")
    extra: dict[str, int] = {}
    for batch in batches:
        for name, n in batch.extra_columns.items():
            extra[name] = extra.get(name, 0) + n
    return BatchProfile(
        schema_hash=first.schema_hash,
        n_rows=sum(batch.n_rows for batch in batches),
        features={name: _add([batch.features[name] for batch in batches]) for name in first.features},
        extra_columns=extra,
        outputs=_add_outputs(batches),
        segments=add_segments([batch.segments for batch in batches], _add),
    )


def _add_outputs(batches: Sequence[BatchProfile]) -> dict[str, FeatureCounts]:
    """Add up the outputs of the batches that have some: earlier releases did not count them."""
    counted = [batch.outputs for batch in batches if batch.outputs]
    return {name: _add([each[name] for each in counted]) for name in (counted[0] if counted else ())}


def count_each(frame: pd.DataFrame, profiles: Mapping[str, FeatureProfile]) -> dict[str, FeatureCounts]:
    """Count each of the profiled columns over its fine bins."""
    return {name: _count(frame, profile) for name, profile in profiles.items()}


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


@lru_cache(maxsize=256)  # 140 KiB each; large files come in pieces, all over the same bins
def _counter(edges: tuple[float, ...]) -> BinCounter:
    return BinCounter(edges)


def _gap_bins(profile: FeatureProfile) -> NDArray[np.bool_]:
    """Mark the fine bins between the single values of training; none of those between quantiles."""
    bins = np.asarray(profile.bins, dtype=np.intp)
    is_gap: NDArray[np.bool_] = (bins == profile.n_distinct) & (profile.binning == "values")
    return is_gap


def _add(parts: Sequence[FeatureCounts]) -> FeatureCounts:
    counts = np.array([part.counts for part in parts], dtype=np.int64).sum(axis=0)
    new: dict[str, int] = {}
    for part in parts:
        for level, n in part.new_levels.items():
            new[level] = new.get(level, 0) + n
    lowest = [part.minimum for part in parts if part.minimum is not None]
    highest = [part.maximum for part in parts if part.maximum is not None]
    return FeatureCounts(
        counts=tuple(counts.tolist()),
        n_missing=sum(part.n_missing for part in parts),
        n_absent=sum(part.n_absent for part in parts),
        n_retyped=sum(part.n_retyped for part in parts),
        n_new=sum(part.n_new for part in parts),
        new_levels=first_levels(new.items()),
        minimum=min(lowest, default=None),
        maximum=max(highest, default=None),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
