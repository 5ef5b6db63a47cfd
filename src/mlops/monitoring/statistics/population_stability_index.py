"""Population stability index.

Formula: sum over the bins of (q - p) ln(q / p), p = reference share, q = current share.
Direction: 0.0 = same; larger = more drift; no upper end. Reading: 0.1 = worth a look, 0.2 = moved.
Reference: S. Kullback and R. A. Leibler, On information and sufficiency, 1951 (their symmetric divergence);
N. Siddiqi, Credit risk scorecards, 2006 (the reading).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import occupied, smoothed_shares


def population_stability_index(reference_shares: ArrayLike, current_shares: ArrayLike) -> float:
    """Return how far the current shares lie from the reference shares.

    Parameters
    ----------
    reference_shares, current_shares
        One share above 0 per bin, in the same order. How empty bins get a share above 0 is the caller's
        choice; `population_stability_index_of_counts` makes the one that our verdicts use.

    Returns
    -------
    float
        0.0 = same; larger = more drift.

    Raises
    ------
    ValueError
        If a share is not above 0, for which the index is infinite.
    """
    p, q = np.asarray(reference_shares, dtype=float), np.asarray(current_shares, dtype=float)
    if not ((p > 0).all() and (q > 0).all()):
        raise ValueError("The population stability index needs shares above 0; smooth the counts first.")
    return float(np.sum((q - p) * np.log(q / p)))


def population_stability_index_of_counts(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """Return the index of two rows of counts, after adding half a row to every bin on both sides.

    Bins that are empty on both sides are left out first: with sides of different size the half rows alone
    would look like drift there. Two empty sides, or one, have nothing to compare: 0.0.
    """
    reference, current = occupied(reference_counts, current_counts)
    if not (reference.sum() and current.sum()):
        return 0.0
    return population_stability_index(smoothed_shares(reference), smoothed_shares(current))


def expected_without_drift(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """Return the index to expect without drift: (B - 1)(1/n + 1/m) for B occupied bins."""
    reference, current = occupied(reference_counts, current_counts)
    if not (reference.sum() and current.sum()):
        return 0.0
    return float((len(reference) - 1) * (1.0 / reference.sum() + 1.0 / current.sum()))
