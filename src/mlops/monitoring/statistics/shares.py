"""From counts per bin to shares per bin.

Statistics of counts work along the last axis, the bins: of two tables with a row for each feature they return
a value for each feature, and of two single rows one value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def both_sides(reference_counts: ArrayLike, current_counts: ArrayLike) -> tuple[Floats, Floats]:
    """Return both sides as numbers.

    Raises
    ------
    ValueError
        If they are not counts of the same bins.
    """
    reference, current = np.asarray(reference_counts, dtype=float), np.asarray(current_counts, dtype=float)
    if reference.shape != current.shape or not reference.ndim:
        raise ValueError(f"Counts must be of the same bins, not {reference.shape} and {current.shape}.")
    return reference, current


def have_rows(reference: Floats, current: Floats) -> NDArray[np.bool_]:
    """Mark where both sides have rows; without them there is nothing to compare."""
    has_rows: NDArray[np.bool_] = reference.any(axis=-1) & current.any(axis=-1)
    return has_rows


def shares(counts: ArrayLike) -> Floats:
    """Return each bin's share of the total; all 0 when there is nothing."""
    rows = np.asarray(counts, dtype=float)
    total = rows.sum(axis=-1, keepdims=True)
    of_total: Floats = rows / np.where(total, total, 1.0)
    return of_total
