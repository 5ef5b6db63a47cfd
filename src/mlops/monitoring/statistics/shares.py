"""From counts per bin to shares per bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def occupied(reference_counts: ArrayLike, current_counts: ArrayLike) -> tuple[Floats, Floats]:
    """Return both rows of counts without the bins that are empty in both.

    Raises
    ------
    ValueError
        If the rows do not have the same number of bins.
    """
    reference, current = np.asarray(reference_counts, dtype=float), np.asarray(current_counts, dtype=float)
    if reference.shape != current.shape or reference.ndim != 1:
        raise ValueError(
            f"Counts must be two rows over the same bins, not {reference.shape} and {current.shape}."
        )
    kept = (reference + current) > 0
    return reference[kept], current[kept]


def shares(counts: ArrayLike) -> Floats:
    """Return each bin's share of the total; all 0 when there is nothing."""
    row = np.asarray(counts, dtype=float)
    total = row.sum()
    return row / total if total else np.zeros_like(row)


def smoothed_shares(counts: ArrayLike, *, pseudocount: float = 0.5) -> Floats:
    """Return the shares after adding `pseudocount` rows to every bin, so that none is 0."""
    return shares(np.asarray(counts, dtype=float) + pseudocount)


def floored_shares(counts: ArrayLike, *, floor: float = 1e-4) -> Floats:
    """Return the shares with small ones raised to `floor`, not scaled back to 1: the convention of others."""
    return np.maximum(shares(counts), floor)
