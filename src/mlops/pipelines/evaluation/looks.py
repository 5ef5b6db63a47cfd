"""Repeated looks at the same held-out rows: how sure a comparison must be, and how many there were.

Twenty retrainings that are not better than the champion hold a lucky one in more than 10 % of the sequences
when each is judged by a 95 % interval. So the error of 5 % is spent over all comparisons with one champion on
the same rows: the look k gets the share 0.05 * 3 / ((k + 2) * (k + 3)), and the sum over all k is 0.05.

Imports no numpy, because the Lambda that registers a model counts the looks.

References
----------
K. K. Gordon Lan, D. L. DeMets: Discrete sequential boundaries for clinical trials. Biometrika 70 (1983).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

from mlops.models.training import ChampionComparison, Interval

TOTAL_ERROR = 0.05
_FLATNESS = 3.0  # a larger one spends less on the first looks and more on the later ones
_MIN_SAMPLE = 10
_STANDARD = NormalDist()
_Z_95 = _STANDARD.inv_cdf(0.975)


def error_of_look(look: float) -> float:
    """Return the chance (0..1) that this look may have to prefer a candidate that is not better.

    Parameters
    ----------
    look
        From 1 on; looks at rows that are partly new are fractions.
    """
    return TOTAL_ERROR * _FLATNESS / ((look + _FLATNESS - 1.0) * (look + _FLATNESS))


def coverage_of_look(look: float) -> float:
    """Return the coverage (0..1) of the interval by which a look is judged: 0.975 for the first."""
    return 1.0 - 2.0 * error_of_look(look)


def interval_of_look(difference: float, interval: Interval, look: float) -> Interval:
    """Widen the 95 % interval of a difference to that of a look: its bounds are as far as those of a normal.

    Returns
    -------
    tuple
        (low, high); the chance that the true difference is below `low` is `error_of_look(look)`.
    """
    widening = _STANDARD.inv_cdf(1.0 - error_of_look(look)) / _Z_95
    half = widening * (interval[1] - interval[0]) / 2.0
    return (difference - half, difference + half)


def count_looks(comparison: ChampionComparison, earlier: Iterable[ChampionComparison]) -> float:
    """Return how many comparisons with the same champion used these rows, this one included.

    An earlier one counts by the share of our rows that it used: rows that are new reset the count.

    Parameters
    ----------
    comparison
        The one that is to be judged.
    earlier
        All others of the group; those with another champion do not count.
    """
    return 1.0 + sum(
        _overlap(comparison.looked_at, other.looked_at)
        for other in earlier
        if other.champion_version == comparison.champion_version and other.comparable
    )


def _overlap(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Estimate which share (0..1) of our rows they used, by the keys that both samples would contain."""
    if not ours or not theirs:
        return 1.0  # of an earlier release: count it whole
    limit = min(ours[-1], theirs[-1])
    comparable = [key for key in ours if key <= limit]
    if len(comparable) < _MIN_SAMPLE:
        return 1.0
    used = set(theirs)
    return sum(key in used for key in comparable) / len(comparable)
