"""What the rows per fine bin of a numeric feature say: its quantiles and its outliers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.monitoring.profiles.numeric import outlier_bins
from mlops.monitoring.statistics.shares import Floats


def bin_ends(profile: FeatureProfile, batch: FeatureCounts) -> Floats:
    """Return finite ends of all fine bins of a numeric feature, one more than bins.

    No end is beyond the values seen on either side: bins out there are empty or end where the values do.
    """
    extremes = (profile.minimum, profile.maximum, batch.minimum, batch.maximum)
    seen = [value for value in extremes if value is not None] or [0.0]
    ends: Floats = np.clip([-np.inf, *profile.edges, np.inf], min(seen), max(seen))
    return ends


def quantiles_of_counts(counts: ArrayLike, ends: Floats, *asked: float) -> list[float | None]:
    """Return quantiles of rows that are taken as spread evenly over their bins; each None without rows."""
    reached = np.zeros(len(ends))
    np.cumsum(counts, out=reached[1:])
    if not reached[-1]:
        return [None] * len(asked)
    reached /= reached[-1]
    places = np.maximum(np.searchsorted(reached, asked, side="left"), 1).tolist()
    return [_between(reached, ends, place, share) for place, share in zip(places, asked, strict=True)]


def _between(reached: Floats, ends: Floats, place: int, share: float) -> float | None:
    below, above = float(reached[place - 1]), float(reached[place])
    part = (share - below) / (above - below) if above > below else 1.0
    value = float(ends[place - 1]) * (1.0 - part) + float(ends[place]) * part
    return value if math.isfinite(value) else None


def n_outliers(profile: FeatureProfile, counts: Sequence[int]) -> int:
    """Return the rows outside of the fences of training."""
    if profile.low_fence is None:
        return 0
    return int(np.asarray(counts)[outlier_bins(profile)].sum())
