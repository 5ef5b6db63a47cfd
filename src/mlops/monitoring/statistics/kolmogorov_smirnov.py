"""Kolmogorov-Smirnov distance of two samples.

Formula: the largest distance between the two empirical distribution functions.
Direction: 0.0 = same; 1.0 = the samples do not overlap.
Reference: N. V. Smirnov, Table for estimating the goodness of fit of empirical distributions, 1948.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import Floats, both_sides, have_rows, shares


def kolmogorov_smirnov(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the exact distance of two samples of numbers (no missing values), 0..1."""
    first, second = np.sort(np.asarray(reference, dtype=float)), np.sort(np.asarray(current, dtype=float))
    if not (len(first) and len(second)):
        return 0.0
    points = np.concatenate([first, second])
    reached = np.searchsorted(first, points, side="right") / len(first)
    return float(np.max(np.abs(reached - np.searchsorted(second, points, side="right") / len(second))))


def kolmogorov_smirnov_of_counts(reference_counts: ArrayLike, current_counts: ArrayLike) -> Floats:
    """Return the distance at the ends of ordered bins, 0..1.

    Never above the exact distance, and below it by at most the largest share of the reference in one bin:
    a hundredth for bins between percentiles, nothing for bins that hold one value each.
    """
    reference, current = both_sides(reference_counts, current_counts)
    gaps = np.cumsum(shares(reference), axis=-1) - np.cumsum(shares(current), axis=-1)
    distance = np.minimum(np.abs(gaps).max(axis=-1), 1.0)
    return np.where(have_rows(reference, current), distance, 0.0)[()]


def kolmogorov_smirnov_p_value(distance: float, n_reference: int, n_current: int) -> float:
    """Return how likely at least this distance is for two samples of one distribution; 1.0 without rows.

    The asymptotic formula with the correction of Stephens; too large for values that repeat.

    References
    ----------
    M. A. Stephens, Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without extensive
    tables, Journal of the Royal Statistical Society B 32, 1970.
    """
    if not (n_reference and n_current):
        return 1.0
    root = math.sqrt(n_reference * n_current / (n_reference + n_current))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.3:  # the series converges slowly there, to 1
        return 1.0
    terms = ((-1.0) ** (k - 1) * math.exp(-2.0 * k * k * scaled * scaled) for k in range(1, 20))
    return min(1.0, max(0.0, 2.0 * math.fsum(terms)))
