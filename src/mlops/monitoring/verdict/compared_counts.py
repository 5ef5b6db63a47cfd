"""The counts of features then and now, as tables: a row for each feature, a column for each bin.

The statistics are computed on all rows of a table at once: feature by feature takes four times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.monitoring.statistics.chi_square import MIN_EXPECTED_COUNT
from mlops.monitoring.statistics.shares import Floats
from mlops.monitoring.verdict.rule import MOST_ROWS
from mlops.pages.number_format import number

_TENTHS = 10


@dataclass(frozen=True)
class Pair:
    """A feature in the training rows and in a batch."""

    profile: FeatureProfile
    batch: FeatureCounts

    @cached_property
    def before(self) -> Floats:
        """The training rows per fine bin."""
        return np.array(self.profile.counts, dtype=float)

    @cached_property
    def now(self) -> Floats:
        """The rows of the batch per fine bin."""
        return np.array(self.batch.counts, dtype=float)

    @cached_property
    def edges(self) -> Floats:
        """The ends between the fine bins of a numeric feature."""
        return np.array(self.profile.edges, dtype=float)

    @cached_property
    def ends(self) -> Floats:
        """The finite ends of the fine bins of a numeric feature, one more than bins."""
        ends: Floats = finite_ends([self])[0]
        return ends

    @property
    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest number on either side."""
        sides = (self.profile.minimum, self.profile.maximum, self.batch.minimum, self.batch.maximum)
        seen = [value for value in sides if value is not None] or [0.0]
        return min(seen), max(seen)


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows per bin of some features, in the training rows and now; shape (features, bins)."""

    before: Floats
    now: Floats

    def __iter__(self) -> Iterator[Floats]:
        return iter((self.before, self.now))


def fine_counts(pairs: Sequence[Pair]) -> Sides:
    """Return both sides per fine bin; shorter rows end in empty bins."""
    return Sides(_stack([pair.before for pair in pairs]), _stack([pair.now for pair in pairs]))


def _stack(rows: Sequence[Floats | Sequence[int]]) -> Floats:
    """Return rows of different lengths as a table; shorter ones end in zeros."""
    table = np.zeros((len(rows), max(map(len, rows))))
    for target, row in zip(table, rows, strict=True):
        target[: len(row)] = row
    return table


def ends_of(pairs: Sequence[Pair]) -> Floats:
    """Return the ends of the fine bins, one more than bins, from minus infinity to infinity."""
    ends = np.full((len(pairs), max(len(pair.profile.counts) for pair in pairs) + 1), np.inf)
    ends[:, 0] = -np.inf
    for row, pair in zip(ends, pairs, strict=True):
        row[1 : len(pair.edges) + 1] = pair.edges
    return ends


def finite_ends(pairs: Sequence[Pair]) -> Floats:
    """Return the ends of the fine bins, none beyond the values seen on either side.

    Bins out there are empty or end where the values do.
    """
    seen = np.array([pair.extremes for pair in pairs])
    ends: Floats = np.minimum(np.maximum(ends_of(pairs), seen[:, :1]), seen[:, 1:])
    return ends


def compared_counts(pairs: Sequence[Pair], fine: Sides) -> Sides:
    """Return both sides per bin; values of fewer than 5 training rows join the bin of the other values.

    Training has no value there that it did not see, a batch of the same rows has some: values that are rare
    in training say how many. The other values are the last column.
    """
    n_bins = [max(pair.profile.bins, default=0) + 1 for pair in pairs]
    width = max(n_bins)
    bins = _stack(
        [_bins_with_others_last(pair.profile, n, width) for pair, n in zip(pairs, n_bins, strict=True)]
    )
    sides = [_added_up(side, bins.astype(np.intp), width) for side in fine]
    has_others = np.array([[pair.profile.binning != "quantiles"] for pair in pairs])
    is_rare = has_others & (sides[0][:, :-1] < MIN_EXPECTED_COUNT)
    for side in sides:
        side[:, -1] += np.where(is_rare, side[:, :-1], 0.0).sum(axis=1)
        side[:, :-1][is_rare] = 0.0
    return Sides(*sides)


def tenths_of(fine: Sides) -> Sides:
    """Return both sides in ten parts of about as many training rows."""
    n = fine.before.sum(axis=1, keepdims=True)
    middle = (np.cumsum(fine.before, axis=1) - fine.before / 2.0) / np.maximum(n, 1.0)
    tenths = np.minimum((_TENTHS * middle).astype(np.intp), _TENTHS - 1)
    return Sides(*(_added_up(side, tenths, _TENTHS) for side in fine))


def _added_up(fine: Floats, bins: NDArray[np.intp], width: int) -> Floats:
    """Add up each row of fine bins by the number of their bin."""
    starts = width * np.arange(len(fine))[:, np.newaxis]
    totals = np.bincount((starts + bins).ravel(), weights=fine.ravel(), minlength=width * len(fine))
    return totals.reshape(len(fine), width).astype(np.float64, copy=False)


def _bins_with_others_last(profile: FeatureProfile, n_bins: int, width: int) -> Sequence[int]:
    bins = profile.bins or (0,) * len(profile.counts)
    if profile.binning == "quantiles":
        return bins
    return [width - 1 if each == n_bins - 1 else each for each in bins]


def bin_counts(profile: FeatureProfile, counts: ArrayLike) -> NDArray[np.int64]:
    """Return the rows per bin of rows per fine bin; without the missing ones."""
    totals = np.bincount(profile.bins or (0,) * len(profile.counts), weights=counts)
    return totals.astype(np.int64)


def without_commonest(pair: Pair) -> Pair | None:
    """Return both sides without the value that most training rows have; None when there is no such value."""
    profile, counts = pair.profile, pair.profile.counts
    most = counts.index(max(counts))
    is_others = profile.kind == "categorical" and most == len(counts) - 1
    if is_others or counts[most] <= MOST_ROWS * sum(counts):
        return None
    before, now = (
        tuple(0 if place == most else n for place, n in enumerate(side))
        for side in (counts, pair.batch.counts)
    )
    return Pair(replace(profile, counts=before, median=None), replace(pair.batch, counts=now))


def commonest_value(profile: FeatureProfile) -> str:
    """Return the value that most training rows have, as text."""
    most = profile.counts.index(max(profile.counts))
    return profile.levels[most] if profile.kind == "categorical" else number(profile.edges[most])
