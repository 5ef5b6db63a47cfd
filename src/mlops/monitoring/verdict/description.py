"""What a report says and draws of a feature: its change in plain ASCII, and the bars of both sides."""

from __future__ import annotations

import math

import numpy as np

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.models.drift.report import Histogram
from mlops.monitoring.statistics.shares import Floats, shares
from mlops.monitoring.verdict.compared_counts import bin_counts
from mlops.monitoring.verdict.fine_bins import bin_ends, quantiles_of_counts
from mlops.pages.number_format import number, number_change, percent_change

_N_BARS = 24
_MAX_LABELS = 8
_DIGITS = 6


def describe_change(profile: FeatureProfile, batch: FeatureCounts) -> str:
    """Say what changed about the present values: `median 41 -> 55`, `share of naive: 100 % -> 12 %`."""
    if not (sum(batch.counts) and sum(profile.counts)):
        return ""
    if profile.binning == "quantiles":
        return _median_change(profile, batch)
    return _share_change(profile, batch)


def _median_change(profile: FeatureProfile, batch: FeatureCounts) -> str:
    ends = bin_ends(profile, batch)
    is_whole = all(
        value is None or value.is_integer()
        for value in (profile.minimum, profile.maximum, profile.median, batch.minimum, batch.maximum)
    )
    before, now = (_quartiles(side, ends, is_whole=is_whole) for side in (profile, batch))
    if profile.median is not None:
        before[1] = profile.median  # known exactly
    if before[1] != now[1]:
        return f"median {number_change(before[1], now[1])}"
    if before != now:
        return f"median {number(now[1])}, middle half {number_change(before[::2], now[::2])}"
    return _largest_bin_change(profile, batch, ends)


def _quartiles(side: FeatureProfile | FeatureCounts, ends: Floats, *, is_whole: bool) -> list[float]:
    """Return the quartiles of one side; none is outside the values seen on that side."""
    if side.minimum is not None and side.maximum is not None:
        ends = np.clip(ends, side.minimum, side.maximum)
    values = [value or 0.0 for value in quantiles_of_counts(side.counts, ends, 0.25, 0.5, 0.75)]
    # of whole numbers the bin (40, 41] holds 41 alone
    return [float(math.ceil(value)) for value in values] if is_whole else values


def _largest_bin_change(profile: FeatureProfile, batch: FeatureCounts, ends: Floats) -> str:
    """Name the bin whose share of the values changed most: the median and the middle half are the same."""
    before, now = (shares(bin_counts(profile, side.counts)) for side in (profile, batch))
    most = int(abs(now - before).argmax())
    fine = np.flatnonzero(np.asarray(profile.bins) == most)
    low, high = number(ends[fine[0]]), number(ends[fine[-1] + 1])
    values = f"values from {low} to {high}" if low != high else f"value {high}"
    return f"share of {values}: {percent_change(float(before[most]), float(now[most]))}"


def _share_change(profile: FeatureProfile, batch: FeatureCounts) -> str:
    """Name the value whose share of the present values changed most."""
    names = [*value_names(profile), "other values"]
    before, now = (shares(bin_counts(profile, side.counts)) for side in (profile, batch))
    most = int(abs(now - before).argmax())
    return f"share of {names[most]}: {percent_change(float(before[most]), float(now[most]))}"


def value_names(profile: FeatureProfile) -> list[str]:
    """Name the bins of a feature with single values or levels; without the last one, all others."""
    if profile.kind == "categorical":
        return list(profile.levels)
    # the last bin is of the gaps between the values, which have no name
    return [
        number(end)
        for end, bin_number in zip(profile.edges, profile.bins[:-1], strict=True)
        if bin_number < profile.n_distinct
    ]


def feature_histogram(profile: FeatureProfile, batch: FeatureCounts, *, n_rows: int) -> Histogram | None:
    """Return the bars of a feature as shares of all rows, missing ones included; None without values."""
    if not (sum(profile.counts) or sum(batch.counts)):
        return None
    if profile.binning == "quantiles":
        return _equal_bars(profile, batch, n_rows)
    return _labelled_bars(profile, batch, n_rows)


def _equal_bars(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Histogram | None:
    """Equal bars from the fine bins, over the middle 98 % of both sides; the end bars hold the rest."""
    ends = bin_ends(profile, batch)
    reach = (quantiles_of_counts(side, ends, 0.01, 0.99) for side in (profile.counts, batch.counts))
    present = [value for side in reach for value in side if value is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        marks = np.linspace(min(present), max(present), _N_BARS + 1)
    if not (np.isfinite(marks).all() and marks[0] < marks[-1]):
        return None
    return Histogram(
        reference=_bars(profile.counts, ends, marks, profile.n_rows),
        current=_bars(batch.counts, ends, marks, n_rows),
        edges=tuple(marks.tolist()),
    )


def _bars(counts: tuple[int, ...], ends: Floats, marks: Floats, n_rows: int) -> tuple[float, ...]:
    reached = np.interp(marks, ends, np.concatenate([[0], np.cumsum(counts)]))
    reached[0], reached[-1] = 0.0, sum(counts)
    return _rounded(np.diff(reached) / max(n_rows, 1))


def _labelled_bars(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Histogram:
    """One bar per value, the commonest eight of either side; the rest together is the last bar."""
    before = bin_counts(profile, profile.counts) / max(profile.n_rows, 1)
    now = bin_counts(profile, batch.counts) / max(n_rows, 1)
    names = value_names(profile)
    order = np.argsort(-np.maximum(before[:-1], now[:-1]), kind="stable")
    shown = np.sort(order[:_MAX_LABELS]) if profile.kind == "numeric" else order[:_MAX_LABELS]
    rest = order[_MAX_LABELS:]
    labels = [names[index] for index in shown]
    sides = [np.append(side[shown], side[rest].sum() + side[-1]) for side in (before, now)]
    return Histogram(reference=_rounded(sides[0]), current=_rounded(sides[1]), labels=(*labels, "all others"))


def _rounded(bars: Floats) -> tuple[float, ...]:
    return tuple(np.round(bars, _DIGITS).tolist())
