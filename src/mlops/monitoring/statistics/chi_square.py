"""Chi-square test of homogeneity: do two samples come from one distribution over the bins?

Formula: sum over the 2 x B table of (observed - expected)^2 / expected, df = B - 1, no Yates correction.
Direction: 0.0 = same; larger = more drift. The p-value runs the other way: small = significant.
Reference: K. Pearson, On the criterion, Philosophical Magazine 50, 1900; W. G. Cochran, The chi-square test
of goodness of fit, 1952 (least expected count of 5).

Both samples have noise of their own. A one-sample test, which takes the reference as exact, has p-values far
too small and turns infinite at the first unseen category.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlops.monitoring.statistics.shares import Floats, both_sides, have_rows

MIN_EXPECTED_COUNT = 5.0


@dataclass(frozen=True, slots=True)
class ChiSquareTest:
    """Result of the test; `statistic` 0.0 = same, larger = more drift; `p_value` 1.0 = no evidence."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def chi_square_tests(reference_counts: ArrayLike, current_counts: ArrayLike) -> list[ChiSquareTest]:
    """Test each row of two tables of counts."""
    reference, current = both_sides(reference_counts, current_counts)
    totals = reference + current
    n = totals.sum(axis=-1, keepdims=True)
    statistics = np.zeros(len(reference))
    for side in (reference, current):
        expected = side.sum(axis=-1, keepdims=True) * totals / np.maximum(n, 1.0)
        squared = (side - expected) ** 2
        statistics += np.divide(squared, expected, out=np.zeros_like(expected), where=expected > 0).sum(
            axis=-1
        )
    degrees = np.where(have_rows(reference, current), np.count_nonzero(totals, axis=-1) - 1, 0)
    return [
        ChiSquareTest(statistic, df, chi_square_tail(statistic, degrees_of_freedom=df))
        if df > 0
        else ChiSquareTest(0.0, 0, 1.0)
        for statistic, df in zip(statistics.tolist(), degrees.tolist(), strict=True)
    ]


def pool_sparse_bins(reference_counts: ArrayLike, current_counts: ArrayLike) -> tuple[Floats, Floats]:
    """Join the bins that are too thin for the test into one; the bins are returned by falling expectation.

    A bin is thin when fewer than 5 rows are expected of it in the smaller sample. If all thin bins together
    are still thin, the thinnest sound bin joins them, as long as two bins remain: a single bin could no
    longer tell that a constant has become another constant.
    """
    reference, current = both_sides(reference_counts, current_counts)
    totals = reference + current
    n_smaller = np.minimum(reference.sum(axis=-1), current.sum(axis=-1))[..., np.newaxis]
    expected = totals * n_smaller / np.maximum(totals.sum(axis=-1, keepdims=True), 1.0)
    order = np.argsort(-expected, axis=-1, kind="stable")
    n_kept = _n_kept(np.take_along_axis(expected, order, axis=-1), np.asarray((totals > 0).sum(axis=-1)))
    is_kept = np.arange(totals.shape[-1]) < n_kept[..., np.newaxis]
    return (
        _join_the_rest(np.take_along_axis(reference, order, axis=-1), is_kept),
        _join_the_rest(np.take_along_axis(current, order, axis=-1), is_kept),
    )


def _n_kept(expected: Floats, n_occupied: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many of the first bins are not joined, of expected rows in falling order."""
    n_bins = expected.shape[-1]
    rows_from = np.zeros((*expected.shape[:-1], n_bins + 1))
    rows_from[..., :-1] = np.cumsum(expected[..., ::-1], axis=-1)[..., ::-1]
    ends = np.arange(n_bins + 1)
    may_end = (rows_from >= MIN_EXPECTED_COUNT) | (ends <= 1) | (ends == n_occupied[..., np.newaxis])
    n_sound = np.count_nonzero(expected >= MIN_EXPECTED_COUNT, axis=-1, keepdims=True)
    n_kept: NDArray[np.intp] = np.where(may_end & (ends <= n_sound), ends, 0).max(axis=-1)
    return n_kept


def _join_the_rest(counts: Floats, is_kept: NDArray[np.bool_]) -> Floats:
    joined = np.where(is_kept, counts, 0.0)
    rest = np.where(is_kept, 0.0, counts).sum(axis=-1)
    return np.concatenate([joined, rest[..., np.newaxis]], axis=-1)


def chi_square_tail(statistic: float, *, degrees_of_freedom: int) -> float:
    """Return P(X >= statistic) of the chi-square distribution, in closed form for whole degrees of freedom.

    References
    ----------
    M. Abramowitz and I. A. Stegun, Handbook of mathematical functions, 26.4.4 and 26.4.5.
    """
    if statistic <= 0.0 or degrees_of_freedom == 0:
        return 1.0
    half = statistic / 2.0
    is_odd = degrees_of_freedom % 2
    # the k-th term is half^(k + s) e^-half / Gamma(k + s + 1), with s = 1/2 for uneven degrees of freedom
    start = 0.5 if is_odd else 0.0
    tail = math.erfc(math.sqrt(half)) if is_odd else 0.0
    for k in range(degrees_of_freedom // 2):
        tail += math.exp((k + start) * math.log(half) - half - math.lgamma(k + start + 1.0))
    return min(tail, 1.0)
