"""What the rows per fine bin of a numeric feature say: its quantiles and its outliers."""

from __future__ import annotations

import math

import numpy as np

from mlops.models.drift.profiles import FeatureProfile
from mlops.monitoring.profiles.numeric import outlier_bins
from mlops.monitoring.statistics.shares import Floats


def quantiles_of_counts(counts: Floats, ends: Floats, *asked: float) -> list[float | None]:
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


def n_outliers(profile: FeatureProfile, counts: Floats) -> int:
    """Return the rows outside of the fences of training."""
    return 0 if profile.low_fence is None else int(counts[outlier_bins(profile)].sum())
