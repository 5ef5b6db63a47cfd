"""Does a batch look like the training data in another unit?"""

from __future__ import annotations

import math

import numpy as np

from mlops.models.drift.profiles import FeatureProfile
from mlops.monitoring.profiles.numeric import just_below
from mlops.monitoring.statistics.shares import Floats, shares
from mlops.monitoring.verdict.compared_counts import Pair
from mlops.monitoring.verdict.fine_bins import quantiles_of_counts

# miles, pounds, inches, feet, weeks, months, hours, minutes, years, hours in seconds, ounces; glucose,
# cholesterol and creatinine in mg/dl; powers of ten
_UNITS = (
    *(1.609, 2.205, 2.54, 3.281, 7.0, 12.0, 24.0, 60.0, 365.25, 3600.0, 28.35),
    *(18.02, 38.67, 88.42),
    *(10.0, 100.0, 1e3, 1e4, 1e6),
)
_MIN_DISTANCE = 0.2
_TOLERANCE = 0.05
_TIMES_CLOSER = 3.0
_LARGE_FACTOR = 5.0
# of small factors: the largest distance, and that of values between bins
_CLOSE, _INTERPOLATION = 0.065, 0.01


def unit_factors(pair: Pair) -> list[float]:
    """Return the factors of known units that turn the training values into those of the batch.

    The distribution functions at the fine bins must be far apart, and close after the conversion
    (Kolmogorov-Smirnov distance, with room for the noise of both sides). Zeros, the same in every unit, are
    left out where they have a bin of their own. A small factor must fit no worse than a shift of the median,
    and as closely as chance allows: a season or a trend moves and stretches values about as much.
    """
    if pair.profile.binning != "quantiles":
        return []
    before, now = (_without_zeros(pair.profile, side) for side in (pair.before, pair.now))
    rows = before.sum(), now.sum()
    if not all(rows):
        return []
    ends = pair.ends
    reached = [np.concatenate([[0.0], np.cumsum(shares(side))]) for side in (before, now)]
    noise = 1.36 * math.sqrt(1.0 / rows[0] + 1.0 / rows[1])  # 95 % of the distances without a change
    plain = _distance(ends, *reached)
    if plain < max(_MIN_DISTANCE, 2.0 * noise):
        return []
    medians = [float(np.nan_to_num(quantiles_of_counts(side, ends, 0.5)[0])) for side in (before, now)]
    shifted = _distance(ends, *reached, shift=medians[1] - medians[0])
    limit = min(_TOLERANCE + noise, plain / _TIMES_CLOSER)
    small = min(limit, shifted + noise / 2.0, noise + _INTERPOLATION, _CLOSE)
    limits = {factor: limit if factor >= _LARGE_FACTOR else small for factor in _UNITS}
    return [
        each
        for factor in _UNITS
        for each in (factor, 1.0 / factor)
        if _distance(ends, *reached, factor=each) <= limits[factor]
    ]


def _without_zeros(profile: FeatureProfile, counts: Floats) -> Floats:
    kept = counts.copy()
    ends = np.array([-np.inf, *profile.edges])
    is_zero = (ends[1:] == 0.0) & (ends[:-1] == just_below(ends[1:]))
    kept[:-1][is_zero] = 0
    return kept


def _distance(ends: Floats, before: Floats, now: Floats, *, factor: float = 1.0, shift: float = 0.0) -> float:
    """Return the largest distance of the batch from the converted training rows, at the ends of the bins."""
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.interp((ends - shift) / factor, ends, before)
    return float(np.abs(expected - now).max())
