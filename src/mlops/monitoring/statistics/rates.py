"""Tests of rates: do more of the current rows have a property than those of the reference?

Formula: of the rows with the property on both sides together, the current ones are binomial with probability
n / (n + m), for n current and m reference rows; the p-value is the upper tail. Levels that training lacked
are judged against those that it has once: their rows are expected in the proportion n to m.
Direction: p-values; small = more than by chance.
Reference: J. Przyborowski and H. Wilenski, Homogeneity of results in testing samples from Poisson series,
Biometrika 31, 1940; I. J. Good, The population frequencies of species, Biometrika 40, 1953.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_MAX_EXACT = 1_000


def rate_increase_p_value(n_before: int, rows_before: int, n_now: int, rows_now: int) -> float:
    """Return how likely at least `n_now` of `rows_now` are by chance, after `n_before` of `rows_before`."""
    if not (n_now and rows_now and rows_before):
        return 1.0
    total, share = n_before + n_now, rows_now / (rows_now + rows_before)
    if total > _MAX_EXACT:
        return normal_tail((n_now - 0.5 - total * share) / math.sqrt(total * share * (1.0 - share)))
    logs = (math.log(share), math.log1p(-share))
    terms = (
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + k * logs[0]
        + (total - k) * logs[1]
        for k in range(n_now, total + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def unseen_levels_p_value(
    n_singletons: int, rows_before: int, rows_of_levels: Sequence[int], rows_now: int
) -> float:
    """Return how likely levels that training lacked have that many rows in another sample of the same rows.

    Parameters
    ----------
    n_singletons
        Levels with one row among the `rows_before` rows of training.
    rows_of_levels
        For each unseen level its rows among the `rows_now` rows.

    Returns
    -------
    float
        Twice the smaller p-value of two questions: are all of them together too many, and is one of them too
        large? Rows of one level come together, so the spread of the first is that of the levels.
    """
    if not (rows_of_levels and rows_before):
        return 1.0
    ratio = rows_now / rows_before
    spread = sum(n * n for n in rows_of_levels) + ratio * ratio * (n_singletons + 1)
    together = normal_tail((sum(rows_of_levels) - ratio * n_singletons) / math.sqrt(spread))
    n_rare = n_singletons + len(rows_of_levels)
    largest = n_rare * math.exp(max(rows_of_levels) * -math.log1p(1.0 / ratio))
    return min(1.0, 2.0 * min(together, largest))


def normal_tail(z: float) -> float:
    """Return P(Z >= z) of the standard normal distribution."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))
