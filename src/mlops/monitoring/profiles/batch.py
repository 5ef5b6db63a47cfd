"""The profile of a batch: counts over the bins of a baseline, which add up over batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.models.drift.contributions import ContributionSums
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile, FeatureCounts
from mlops.models.errors import DriftError
from mlops.monitoring.profiles.contributions import add_contributions
from mlops.monitoring.profiles.counting import add_each, count_each
from mlops.monitoring.profiles.segments import add_segments, count_segments


def profile_batch(
    frame: pd.DataFrame,
    baseline: BaselineStatistics,
    *,
    outputs: pd.DataFrame | None = None,
    is_scored: NDArray[np.bool_] | None = None,
    contributions: ContributionSums | None = None,
) -> BatchProfile:
    """Count a batch over the fine bins of the baseline.

    A column that is absent, empty or of another type is counted as such and never raises; so is a column
    that training did not have. `outputs` are the predictions and probabilities of the rows that were scored,
    which `is_scored` marks; by default all. `contributions` are those of the reasons of these rows.
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
        segments=count_segments(frame, baseline, outputs, is_scored),
        contributions=contributions if baseline.contributions else None,
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
    if not others:
        return first
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
        features=add_each([batch.features for batch in batches]),
        extra_columns=extra,
        outputs=add_each([batch.outputs for batch in batches]),
        segments=add_segments([batch.segments for batch in batches]),
        contributions=add_contributions([batch.contributions for batch in batches]),
    )
