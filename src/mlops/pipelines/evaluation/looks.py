"""Repeated looks at the same held-out rows: how sure a comparison must be, and how many there were.

Twenty retrainings that are not better than the champion hold a lucky one in more than 10 % of the sequences
when each is judged by a 95 % interval. So all comparisons with one champion on the same rows share one error
of 5 %. The champion has the same luck in each of them: of equal models, the errors of two comparisons are
correlated by one half. With this correlation an error of 0.34 % for each of the first twenty looks adds up to
4.3 %. From then on it falls with the fourth power of the look, and all looks together stay below 5 %.

Imports no numpy, because the Lambda that registers a model counts the looks.

References
----------
K. K. Gordon Lan, D. L. DeMets: Discrete sequential boundaries for clinical trials. Biometrika 70 (1983).
C. W. Dunnett: A multiple comparison procedure for comparing several treatments with a control. Journal of the
American Statistical Association 50 (1955).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

from mlops.models.training import ChampionComparison, Interval

N_EQUAL_LOOKS = 20
_ERROR = 0.0034  # of each of them; Dunnett's bound for 20 candidates and a total of 4.3 %
_FALL = 4  # the power with which it falls afterwards
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
    return _ERROR * min(1.0, N_EQUAL_LOOKS / look) ** _FALL


def coverage_of_look(look: float) -> float:
    """Return the coverage (0..1) of the interval by which a look is judged: 0.9932 for the first twenty."""
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
