"""Population stability index.

Formula: sum over the bins of (q - p) ln(q / p), p = reference share, q = current share.
Direction: 0.0 = same; larger = more drift; no upper end. Reading: 0.1 = worth a look, 0.2 = moved.
Reference: S. Kullback and R. A. Leibler, On information and sufficiency, 1951 (their symmetric divergence);
N. Siddiqi, Credit risk scorecards, 2006 (the reading).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlops.monitoring.statistics.shares import Floats, both_sides, have_rows

_PSEUDOCOUNT = 0.5


def population_stability_index(reference_shares: ArrayLike, current_shares: ArrayLike) -> Floats:
    """Return how far the current shares lie from the reference shares.

    Parameters
    ----------
    reference_shares, current_shares
        One share above 0 per bin, in the same order. How empty bins get a share above 0 is the caller's
        choice; `population_stability_index_of_counts` makes the one that our verdicts use.

    Returns
    -------
    numpy.ndarray
        0.0 = same; larger = more drift.

    Raises
    ------
    ValueError
        If a share is not above 0, for which the index is infinite.
    """
    p, q = np.asarray(reference_shares, dtype=float), np.asarray(current_shares, dtype=float)
    if not ((p > 0).all() and (q > 0).all()):
        raise ValueError("The population stability index needs shares above 0; smooth the counts first.")
    index: Floats = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


def population_stability_index_of_counts(reference_counts: ArrayLike, current_counts: ArrayLike) -> Floats:
    """Return the index of counts, after adding half a row to every bin on both sides.

    Bins that are empty on both sides are left out first: with sides of different size the half rows alone
    would look like drift there. Two empty sides, or one, have nothing to compare: 0.0.
    """
    reference, current = both_sides(reference_counts, current_counts)
    is_occupied = (reference + current) > 0
    p, q = (_smoothed(side, is_occupied) for side in (reference, current))
    return np.where(have_rows(reference, current), population_stability_index(p, q), 0.0)[()]


def _smoothed(counts: Floats, is_occupied: NDArray[np.bool_]) -> Floats:
    """Return the shares after adding half a row to every occupied bin; 1 for the others, on both sides."""
    padded = np.where(is_occupied, counts + _PSEUDOCOUNT, 0.0)
    total = padded.sum(axis=-1, keepdims=True)
    return np.where(is_occupied, padded / np.where(total, total, 1.0), 1.0)


def expected_without_drift(reference_counts: ArrayLike, current_counts: ArrayLike) -> Floats:
    """Return the index to expect without drift: (B - 1)(1/n + 1/m) for B occupied bins."""
    reference, current = both_sides(reference_counts, current_counts)
    n_bins = np.count_nonzero(reference + current, axis=-1)
    n, m = (np.maximum(side.sum(axis=-1), 1.0) for side in (reference, current))
    expected = (n_bins - 1) * (1.0 / n + 1.0 / m)
    return np.where(have_rows(reference, current), expected, 0.0)[()]
