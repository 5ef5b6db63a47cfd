"""What a report says and draws of a feature: its change in plain ASCII, and the bars of both sides."""

from __future__ import annotations

import math

import numpy as np

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.models.drift.report import Histogram
from mlops.monitoring.statistics.shares import Floats, shares
from mlops.monitoring.verdict.compared_counts import Pair, bin_counts
from mlops.monitoring.verdict.fine_bins import quantiles_of_counts
from mlops.pages.number_format import number, number_change, percent_change

_N_BARS = 24
_MAX_LABELS = 8
_DIGITS = 6


def describe_change(pair: Pair) -> str:
    """Say what changed about the present values: `median 41 -> 55`, `share of naive: 100 % -> 12 %`."""
    if not (pair.now.any() and pair.before.any()):
        return ""
    return _median_change(pair) if pair.profile.binning == "quantiles" else _share_change(pair)


def _median_change(pair: Pair) -> str:
    profile, batch = pair.profile, pair.batch
    is_whole = all(
        value is None or value.is_integer()
        for value in (profile.minimum, profile.maximum, profile.median, batch.minimum, batch.maximum)
    )
    before = _quartiles(profile, pair.before, pair.ends, is_whole=is_whole)
    now = _quartiles(batch, pair.now, pair.ends, is_whole=is_whole)
    if profile.median is not None:
        before[1] = profile.median  # known exactly
    if before[1] != now[1]:
        return f"median {number_change(before[1], now[1])}"
    if before != now:
        return f"median {number(now[1])}, middle half {number_change(before[::2], now[::2])}"
    return _largest_bin_change(pair)


def _quartiles(
    side: FeatureProfile | FeatureCounts, counts: Floats, ends: Floats, *, is_whole: bool
) -> list[float]:
    """Return the quartiles of one side; none is outside the values seen on that side."""
    if side.minimum is not None and side.maximum is not None:
        ends = np.minimum(np.maximum(ends, side.minimum), side.maximum)
    values = [value or 0.0 for value in quantiles_of_counts(counts, ends, 0.25, 0.5, 0.75)]
    # of whole numbers the bin (40, 41] holds 41 alone
    return [float(math.ceil(value)) for value in values] if is_whole else values


def _largest_bin_change(pair: Pair) -> str:
    """Name the bin whose share of the values changed most: the median and the middle half are the same."""
    most, before, now = _most_changed(pair)
    fine = np.flatnonzero(np.asarray(pair.profile.bins) == most)
    low, high = number(pair.ends[fine[0]]), number(pair.ends[fine[-1] + 1])
    values = f"values from {low} to {high}" if low != high else f"value {high}"
    return f"share of {values}: {percent_change(before, now)}"


def _share_change(pair: Pair) -> str:
    """Name the value whose share of the present values changed most."""
    most, before, now = _most_changed(pair)
    names = [*value_names(pair.profile), "other values"]
    return f"share of {names[most]}: {percent_change(before, now)}"


def _most_changed(pair: Pair) -> tuple[int, float, float]:
    """Return the bin whose share of the present values changed most, and that share, then and now."""
    before, now = (shares(bin_counts(pair.profile, side)) for side in (pair.before, pair.now))
    most = int(abs(now - before).argmax())
    return most, float(before[most]), float(now[most])


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


def feature_histogram(pair: Pair, *, n_rows: int) -> Histogram | None:
    """Return the bars of a feature as shares of all rows, missing ones included; None without values."""
    if not (pair.before.any() or pair.now.any()):
        return None
    return _equal_bars(pair, n_rows) if pair.profile.binning == "quantiles" else _labelled_bars(pair, n_rows)


def _equal_bars(pair: Pair, n_rows: int) -> Histogram | None:
    """Equal bars from the fine bins, over the middle 98 % of both sides; the end bars hold the rest."""
    reach = (quantiles_of_counts(side, pair.ends, 0.01, 0.99) for side in (pair.before, pair.now))
    present = [value for side in reach for value in side if value is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        marks = np.linspace(min(present), max(present), _N_BARS + 1)
    if not (np.isfinite(marks).all() and marks[0] < marks[-1]):
        return None
    return Histogram(
        reference=_bars(pair.before, pair.ends, marks, pair.profile.n_rows),
        current=_bars(pair.now, pair.ends, marks, n_rows),
        edges=tuple(marks.tolist()),
    )


def _bars(counts: Floats, ends: Floats, marks: Floats, n_rows: int) -> tuple[float, ...]:
    cumulated = np.concatenate([[0.0], np.cumsum(counts)])
    reached = np.interp(marks, ends, cumulated)
    reached[0], reached[-1] = 0.0, cumulated[-1]
    return _rounded(np.diff(reached) / max(n_rows, 1))


def _labelled_bars(pair: Pair, n_rows: int) -> Histogram:
    """One bar per value, the commonest eight of either side; the rest together is the last bar."""
    profile = pair.profile
    before = bin_counts(profile, pair.before) / max(profile.n_rows, 1)
    now = bin_counts(profile, pair.now) / max(n_rows, 1)
    names = value_names(profile)
    order = np.argsort(-np.maximum(before[:-1], now[:-1]), kind="stable")
    shown = np.sort(order[:_MAX_LABELS]) if profile.kind == "numeric" else order[:_MAX_LABELS]
    rest = order[_MAX_LABELS:]
    labels = [names[index] for index in shown]
    sides = [np.append(side[shown], side[rest].sum() + side[-1]) for side in (before, now)]
    return Histogram(reference=_rounded(sides[0]), current=_rounded(sides[1]), labels=(*labels, "all others"))


def _rounded(bars: Floats) -> tuple[float, ...]:
    return tuple(np.round(bars, _DIGITS).tolist())
