"""Changes in words that a mail can carry: plain ASCII, no statistics."""

from __future__ import annotations

import math

import numpy as np

from mlops.models.drift import FeatureCounts, FeatureProfile
from mlops.monitoring.statistics.shares import Floats
from mlops.monitoring.verdict.feature_comparison import bin_counts, cell_ends, quantile_of_counts
from mlops.pages.number_format import number, percent


def describe_change(profile: FeatureProfile, batch: FeatureCounts, *, n_rows: int) -> str:
    """Say what changed about the values themselves: `median 41 -> 55`, `naive 100 % -> 12 %`."""
    if not n_rows or not sum(batch.counts) or not sum(profile.counts):
        return ""
    if profile.binning == "quantiles":
        return _median_change(profile, batch)
    return _share_change(profile, batch, n_rows)


def _median_change(profile: FeatureProfile, batch: FeatureCounts) -> str:
    ends = cell_ends(profile, batch)
    is_whole = all(
        value is None or value.is_integer()
        for value in (profile.minimum, profile.maximum, profile.median, batch.minimum, batch.maximum)
    )
    before, now = (
        [_quartile(side, ends, share, is_whole=is_whole) for share in (0.25, 0.5, 0.75)]
        for side in (profile, batch)
    )
    if profile.median is not None:
        before[1] = number(profile.median)  # known exactly
    if before[1] == now[1] and before != now:
        return f"median {now[1]}, middle half {before[0]} to {before[2]} -> {now[0]} to {now[2]}"
    return f"median {before[1]} -> {now[1]}"


def _quartile(side: FeatureProfile | FeatureCounts, ends: Floats, share: float, *, is_whole: bool) -> str:
    """Write a quantile of one side; none lies outside the values seen on that side."""
    if side.minimum is not None and side.maximum is not None:
        ends = np.clip(ends, side.minimum, side.maximum)
    value = quantile_of_counts(side.counts, ends, share)
    if value is None:
        return "?"
    # of whole numbers the cell (40, 41] holds 41 alone
    return number(math.ceil(value) if is_whole else value)


def _share_change(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> str:
    """Name the value whose share of the rows changed most."""
    names = [*value_names(profile), "other values"]
    before = bin_counts(profile, profile.counts) / max(profile.n_rows, 1)
    now = bin_counts(profile, batch.counts) / n_rows
    most = int(abs(now - before).argmax())
    if profile.kind == "numeric" and most == len(names) - 1:
        return _median_change(profile, batch)
    return f"share of {names[most]}: {percent(float(before[most]))} -> {percent(float(now[most]))}"


def value_names(profile: FeatureProfile) -> list[str]:
    """Name the bins of a feature with single values or levels; without the last one, all others."""
    if profile.kind == "categorical":
        return list(profile.levels)
    # the last bin is of the gaps between the values, which have no name
    return [
        number(end)
        for end, cell_bin in zip(profile.edges, profile.bins[:-1], strict=True)
        if cell_bin < profile.n_distinct
    ]
