"""Profile of a numeric feature: its fine bins, its bins, its fences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlops.models.drift.profiles import FeatureProfile
from mlops.monitoring.statistics.shares import Floats

MAX_SINGLE_VALUES = 20
_HEAVY_SHARE = 0.1
_N_NEAR_EDGES = 7
_N_FAR_EDGES = 8


def numeric_profile(name: str, values: Floats, *, importance: float | None = None) -> FeatureProfile:
    """Profile the training values of one feature; NaN is missing.

    Fine bins are between the percentiles; bins, between the deciles, are unions of fine bins, and a value of
    more than a tenth of the rows is a bin of its own. With at most 20 distinct values each is a bin. An
    outlier is outside [q0.1 - 3 IQR, q99.9 + 3 IQR].
    """
    ordered = np.sort(values)
    present = ordered[: np.searchsorted(ordered, np.nan)]
    finite = present[np.searchsorted(present, -np.inf, side="right") : np.searchsorted(present, np.inf)]
    distinct, repeats = _distinct(finite)
    if len(distinct) <= MAX_SINGLE_VALUES:
        edges, bins = _single_value_bins(distinct)
        fences: tuple[float | None, float | None] = (None, None)
    else:
        fences = _fences(finite)
        edges, bins = _quantile_bins(finite, *fences)
    reached = np.searchsorted(present, edges, side="right")
    counts = np.diff(reached, prepend=0, append=len(present))
    profile = FeatureProfile(
        name=name,
        kind="numeric",
        binning="values" if len(distinct) <= MAX_SINGLE_VALUES else "quantiles",
        n_rows=len(values),
        n_missing=len(values) - len(present),
        n_distinct=len(distinct),
        counts=tuple(counts.tolist()),
        edges=tuple(edges.tolist()),
        bins=tuple(bins.tolist()),
        n_singletons=int(np.count_nonzero(repeats == 1)),
        low_fence=fences[0],
        high_fence=fences[1],
        importance=importance,
    )
    return _with_summary(profile, finite)


def _distinct(ordered: Floats) -> tuple[Floats, NDArray[np.intp]]:
    if not len(ordered):
        return ordered, np.empty(0, dtype=np.intp)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(starts, append=len(ordered))


def _single_value_bins(distinct: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Fine bins {v1}, {v2}, ... and the gaps around them; all gaps together are one bin, the last."""
    edges = _sorted_ends(just_below(distinct), distinct)
    bins = np.full(len(edges) + 1, len(distinct), dtype=np.intp)
    bins[np.searchsorted(edges, distinct)] = np.arange(len(distinct))
    return edges, bins


def _quantile_bins(ordered: Floats, low_fence: float, high_fence: float) -> tuple[Floats, NDArray[np.intp]]:
    deciles = np.unique(quantiles(ordered, np.arange(1, 10) / 10))
    repeats = np.searchsorted(ordered, deciles, side="right") - np.searchsorted(ordered, deciles)
    heavy = deciles[repeats > _HEAVY_SHARE * len(ordered)]
    bin_edges = _sorted_ends(deciles, just_below(heavy))
    percentiles = quantiles(ordered, np.arange(1, 100) / 100)
    rest = _without_commonest(ordered, deciles[repeats > len(ordered) / 2])
    # "below the fence" as a right-closed bin ends just before the fence
    fences = np.append(just_below(np.array([low_fence])), high_fence)
    tails = _tail_edges(percentiles[0], low_fence, percentiles[-1], high_fence)
    edges = _sorted_ends(bin_edges, percentiles, fences, tails, rest)
    return edges, np.append(np.searchsorted(bin_edges, edges), len(bin_edges))


def _without_commonest(ordered: Floats, commonest: Floats) -> Floats:
    """Return ends at each twentieth of the values beside one that most rows have: few percentiles are there.

    A value of more than a twentieth of them is a fine bin of its own.
    """
    rest = ordered[~np.isin(ordered, commonest)] if len(commonest) else ordered[:0]
    if not len(rest):
        return rest
    ends, repeats = np.unique(quantiles(rest, np.arange(1, 20) / 20), return_counts=True)
    return np.append(ends, just_below(ends[repeats > 1]))


def _tail_edges(low: float, low_fence: float, high: float, high_fence: float) -> Floats:
    """Ends beyond the outer percentiles: equal steps up to the fences, then each twice as far out.

    Few training rows are out there, but a shifted batch may be: they keep its median and distance exact.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        near = [np.linspace(low_fence, low, _N_NEAR_EDGES), np.linspace(high, high_fence, _N_NEAR_EDGES)]
        far = (high_fence - low_fence) * 2.0 ** np.arange(_N_FAR_EDGES)
        return np.concatenate([*near, low_fence - far, high_fence + far])


def just_below(values: Floats) -> Floats:
    """Return the next smaller numbers: as ends of right-closed bins they cut off the values themselves."""
    with np.errstate(over="ignore", under="ignore"):
        below: Floats = np.nextafter(values, -np.inf)
    return below


def _sorted_ends(*parts: Floats) -> Floats:
    ends = np.unique(np.concatenate(parts))
    return ends[np.isfinite(ends)]


def _fences(ordered: Floats) -> tuple[float, float]:
    low, first_quarter, last_quarter, high = quantiles(ordered, np.array([0.001, 0.25, 0.75, 0.999]))
    with np.errstate(over="ignore"):
        width = 3.0 * (last_quarter - first_quarter)
        fences = np.clip([low - width, high + width], -np.finfo(float).max, np.finfo(float).max)
    return float(fences[0]), float(fences[1])


def quantiles(ordered: Floats, shares: Floats) -> Floats:
    """Return the quantiles of sorted numbers as `np.quantile` does (linear), without sorting them again."""
    position = shares * (len(ordered) - 1)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    fraction = position - below
    with np.errstate(over="ignore", invalid="ignore"):
        step = ordered[above] - ordered[below]
        between = np.where(
            fraction < 0.5, ordered[below] + step * fraction, ordered[above] - step * (1.0 - fraction)
        )
    return np.where(np.isfinite(between), between, ordered[below])


def _with_summary(profile: FeatureProfile, ordered: Floats) -> FeatureProfile:
    """Add what people read: range, mean, standard deviation, median; None where it is not finite."""
    if not len(ordered):
        return profile
    with np.errstate(over="ignore", invalid="ignore"):
        return replace(
            profile,
            minimum=float(ordered[0]),
            maximum=float(ordered[-1]),
            mean=_finite(ordered.mean()),
            std=_finite(ordered.std()),
            median=_finite(quantiles(ordered, np.array([0.5]))[0]),
        )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
