"""What the rows per fine bin of numeric features say: their quantiles and their outliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops.monitoring.statistics.shares import Floats
from mlops.monitoring.verdict.compared_counts import Pair, Sides, ends_of


def quantiles_of_counts(counts: Floats, ends: Floats, *shares: float) -> Floats:
    """Return quantiles of rows that are taken as spread evenly over their bins.

    Parameters
    ----------
    counts, ends
        The rows per bin and the ends of the bins, one more; a single feature or a table with a row for each.
    shares
        Shares of the rows, above 0.

    Returns
    -------
    numpy.ndarray
        A number for each share, along the last axis; NaN without rows or where it is not finite.
    """
    reached = np.zeros(ends.shape)
    np.cumsum(counts, axis=-1, out=reached[..., 1:])
    total = reached[..., -1:]
    with np.errstate(over="ignore", invalid="ignore"):
        reached = reached / total
        share = np.array(shares)
        is_below = reached[..., np.newaxis, :] < share[:, np.newaxis]
        places = np.clip(np.count_nonzero(is_below, axis=-1), 1, ends.shape[-1] - 1)
        below, above = (np.take_along_axis(reached, at, axis=-1) for at in (places - 1, places))
        low, high = (np.take_along_axis(ends, at, axis=-1) for at in (places - 1, places))
        part = np.divide(share - below, above - below, out=np.ones(below.shape), where=above > below)
        values: Floats = low * (1.0 - part) + high * part
    return np.where(np.isfinite(values) & (total > 0), values, np.nan)


def n_outliers(pairs: Sequence[Pair], fine: Sides) -> tuple[list[int], list[int]]:
    """Return the rows of each feature outside of the fences of training, then and now."""
    ends = ends_of(pairs)
    low, high = (
        np.array([[np.nan if fence is None else fence] for fence in fences])
        for fences in zip(*((p.profile.low_fence, p.profile.high_fence) for p in pairs), strict=True)
    )
    is_outside = (ends[:, 1:] < low) | (ends[:, :-1] >= high)
    before, now = (np.where(is_outside, side, 0.0).sum(axis=-1).astype(np.int64).tolist() for side in fine)
    return before, now
