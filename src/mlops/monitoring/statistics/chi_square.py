"""Chi-square test of homogeneity: do two samples come from one distribution over the bins?

Formula: sum over the 2 x B table of (observed - expected)^2 / expected, df = B - 1, no Yates correction.
Direction: 0.0 = same; larger = more drift. The p-value runs the other way: small = no accident.
Reference: K. Pearson, On the criterion, Philosophical Magazine 50, 1900; W. G. Cochran, The chi-square test
of goodness of fit, 1952 (least expected count of 5).

Both samples have noise of their own. A one-sample test, which takes the reference as exact, has p-values far
too small and turns infinite at the first unseen category.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mlops.monitoring.statistics.shares import Floats, occupied

MIN_EXPECTED_COUNT = 5.0


@dataclass(frozen=True, slots=True)
class ChiSquareTest:
    """Result of the test; `statistic` 0.0 = same, larger = more drift; `p_value` 1.0 = no evidence."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def chi_square_test(reference_counts: ArrayLike, current_counts: ArrayLike) -> ChiSquareTest:
    """Test two rows of counts over the same bins; bins empty in both are left out."""
    reference, current = occupied(reference_counts, current_counts)
    if len(reference) < 2 or not (reference.sum() and current.sum()):
        return ChiSquareTest(0.0, 0, 1.0)
    table = np.stack([reference, current])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    degrees_of_freedom = len(reference) - 1
    return ChiSquareTest(
        statistic, degrees_of_freedom, chi_square_tail(statistic, degrees_of_freedom=degrees_of_freedom)
    )


def pool_sparse_bins(reference_counts: ArrayLike, current_counts: ArrayLike) -> tuple[Floats, Floats]:
    """Join the bins that are too thin for the test into one, the last of the returned rows.

    A bin is thin when fewer than 5 rows are expected of it in the smaller sample. If all thin bins together
    are still thin, the thinnest sound bin joins them, as long as two bins remain: a single bin could no
    longer tell that a constant has become another constant.
    """
    reference, current = occupied(reference_counts, current_counts)
    totals = reference + current
    if not totals.sum():
        return reference, current
    expected = totals * min(reference.sum(), current.sum()) / totals.sum()
    order = np.argsort(-expected, kind="stable")
    n_sound = int(np.count_nonzero(expected >= MIN_EXPECTED_COUNT))
    while 1 < n_sound < len(order) and expected[order[n_sound:]].sum() < MIN_EXPECTED_COUNT:
        n_sound -= 1
    if n_sound >= len(order) - 1:
        return reference, current
    sound, thin = order[:n_sound], order[n_sound:]
    return (
        np.append(reference[sound], reference[thin].sum()),
        np.append(current[sound], current[thin].sum()),
    )


def chi_square_tail(statistic: float, *, degrees_of_freedom: int) -> float:
    """Return P(X >= statistic) of the chi-square distribution, in closed form for whole degrees of freedom.

    References
    ----------
    M. Abramowitz and I. A. Stegun, Handbook of mathematical functions, 26.4.4 and 26.4.5.
    """
    if statistic <= 0.0 or degrees_of_freedom == 0:
        return 1.0
    half = statistic / 2.0
    is_odd = degrees_of_freedom % 2
    # the k-th term is half^(k + s) e^-half / Gamma(k + s + 1), with s = 1/2 for uneven degrees of freedom
    start = 0.5 if is_odd else 0.0
    tail = math.erfc(math.sqrt(half)) if is_odd else 0.0
    for k in range(degrees_of_freedom // 2):
        tail += math.exp((k + start) * math.log(half) - half - math.lgamma(k + start + 1.0))
    return min(tail, 1.0)
