"""Baselines of other rows than the training rows, over the same cells."""

from __future__ import annotations

from dataclasses import replace

from mlops.models.drift.profiles import (
    BaselineStatistics,
    BatchProfile,
    FeatureCounts,
    FeatureProfile,
    Segment,
)
from mlops.monitoring.profiles.segments import MIN_SEGMENT_ROWS


def as_reference(profile: FeatureProfile, counts: FeatureCounts) -> FeatureProfile:
    """Return the profile of a feature with other rows instead of the training rows."""
    return replace(
        profile,
        counts=counts.counts,
        n_missing=counts.n_missing,
        n_rows=sum(counts.counts) + counts.n_missing,
        minimum=counts.minimum if profile.kind == "numeric" else None,
        maximum=counts.maximum if profile.kind == "numeric" else None,
        mean=None,
        median=None,
    )


def baseline_of(baseline: BaselineStatistics, earlier: BatchProfile) -> BaselineStatistics:
    """Return a baseline of scored rows; segments of fewer than 100 of them are left out."""
    features = {
        name: _with_rate_of_new_values(profile, as_reference(profile, earlier.features[name]))
        for name, profile in baseline.features.items()
    }
    outputs = {
        name: as_reference(profile, earlier.outputs[name])
        for name, profile in baseline.outputs.items()
        if name in earlier.outputs
    }
    return replace(
        baseline,
        features=features,
        n_rows=earlier.n_rows,
        outputs=outputs,
        segments=tuple(_segments_of(baseline, earlier)),
        contributions=earlier.contributions,
    )


def _with_rate_of_new_values(profile: FeatureProfile, reference: FeatureProfile) -> FeatureProfile:
    """Keep the rate of unseen values: values are new that training did not have, whatever the reference."""
    n_before, n_now = sum(profile.counts), sum(reference.counts)
    return replace(reference, n_singletons=-(-profile.n_singletons * n_now // max(n_before, 1)))


def _segments_of(baseline: BaselineStatistics, earlier: BatchProfile) -> list[Segment]:
    counts = earlier.segments
    return [
        replace(segment, reference=counts[segment.name])
        for segment in baseline.segments
        if segment.name in counts and counts[segment.name].n_rows >= MIN_SEGMENT_ROWS
    ]
