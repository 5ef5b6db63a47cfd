"""Wasserstein distance of order 1, in standard deviations of the reference.

Formula: the area between the two empirical distribution functions, divided by std(reference, ddof=0).
Direction: 0.0 = same; 1.0 = every row moved by one standard deviation; no upper end.
Reference: S. S. Vallender, Calculation of the Wasserstein distance between probability distributions on the
line, 1974.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import Floats, both_sides, have_rows, shares


def wasserstein(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the exact distance of two samples of finite numbers, in their own unit."""
    first, second = np.sort(np.asarray(reference, dtype=float)), np.sort(np.asarray(current, dtype=float))
    if not (len(first) and len(second)):
        return 0.0
    points = np.sort(np.concatenate([first, second]))
    reached = np.searchsorted(first, points[:-1], side="right") / len(first)
    gaps = np.abs(reached - np.searchsorted(second, points[:-1], side="right") / len(second))
    return float(np.sum(gaps * np.diff(points)))


def wasserstein_of_counts(
    reference_counts: ArrayLike, current_counts: ArrayLike, bin_ends: ArrayLike
) -> Floats:
    """Return the distance of counts over ordered bins, in the unit of the bins' ends.

    Parameters
    ----------
    reference_counts, current_counts
        Rows per bin, from the lowest bin to the highest.
    bin_ends
        The finite ends of the bins, one more than there are bins. Rows are taken as spread evenly over
        their bin.
    """
    reference, current = both_sides(reference_counts, current_counts)
    reached = np.cumsum(shares(current) - shares(reference), axis=-1)
    right, left = reached, np.zeros_like(reached)
    left[..., 1:] = reached[..., :-1]
    same_sign = np.abs(left + right) / 2.0
    spread = np.abs(left) + np.abs(right)
    # between ends of opposite sign the gap runs through 0: two triangles instead of a trapezium
    crossing = np.divide(left**2 + right**2, 2.0 * spread, out=np.zeros_like(spread), where=spread > 0)
    widths = np.diff(np.asarray(bin_ends, dtype=float), axis=-1)
    distance = (widths * np.where(left * right < 0, crossing, same_sign)).sum(axis=-1)
    return np.where(have_rows(reference, current), distance, 0.0)[()]
