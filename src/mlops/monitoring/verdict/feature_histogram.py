"""What a report draws of a feature: the training rows and the current ones, bar by bar."""

from __future__ import annotations

import numpy as np

from mlops.models.drift import FeatureCounts, FeatureProfile, Histogram
from mlops.monitoring.statistics.shares import Floats
from mlops.monitoring.verdict.feature_comparison import bin_counts, cell_ends, quantile_of_counts
from mlops.monitoring.verdict.wording import value_names

_N_BARS = 24
_MAX_LABELS = 8
_DIGITS = 6


def feature_histogram(profile: FeatureProfile, batch: FeatureCounts, *, n_rows: int) -> Histogram | None:
    """Return the bars of a feature as shares of all rows, missing ones included; None without values."""
    if not (sum(profile.counts) or sum(batch.counts)):
        return None
    if profile.binning == "quantiles":
        return _equal_bars(profile, batch, n_rows)
    return _labelled_bars(profile, batch, n_rows)


def _equal_bars(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Histogram | None:
    """Bars of equal width from the cells, over the middle 98 % of both sides; the rest is in the end bars."""
    ends = cell_ends(profile, batch)
    reach = [
        quantile_of_counts(side, ends, q) for side in (profile.counts, batch.counts) for q in (0.01, 0.99)
    ]
    known = [value for value in reach if value is not None]
    with np.errstate(over="ignore", invalid="ignore"):
        marks = np.linspace(min(known), max(known), _N_BARS + 1)
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
