"""Kolmogorov-Smirnov distance of two samples.

Formula: the largest distance between the two empirical distribution functions.
Direction: 0.0 = same; 1.0 = the samples do not overlap.
Reference: N. V. Smirnov, Table for estimating the goodness of fit of empirical distributions, 1948.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import shares


def kolmogorov_smirnov(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the exact distance of two samples of numbers (no missing values), 0..1."""
    first, second = np.sort(np.asarray(reference, dtype=float)), np.sort(np.asarray(current, dtype=float))
    if not (len(first) and len(second)):
        return 0.0
    points = np.concatenate([first, second])
    reached = np.searchsorted(first, points, side="right") / len(first)
    return float(np.max(np.abs(reached - np.searchsorted(second, points, side="right") / len(second))))


def kolmogorov_smirnov_of_counts(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """Return the distance at the ends of ordered bins, 0..1.

    Never above the exact distance, and below it by at most the largest share of the reference in one bin:
    a hundredth for bins between percentiles, nothing for bins that hold one value each.
    """
    p, q = shares(reference_counts), shares(current_counts)
    if not (p.any() and q.any()):
        return 0.0
    return float(min(1.0, np.max(np.abs(np.cumsum(p) - np.cumsum(q)))))
