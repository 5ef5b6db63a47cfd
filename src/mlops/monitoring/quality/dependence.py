"""Several predictions of one person are not independent: how much wider this makes the intervals of scores.

The ids are put into `N_CLUSTERS` groups by their hash. A score is linearised: each row moves it by its
influence. The variance of the sums of the influences over the groups, divided by that of independent rows, is
the design effect.

References: Wolter, Introduction to Variance Estimation, 2nd edition 2007, chapters 2 (random groups) and 6
(linearisation); Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 53, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.models.scoring.quality import QualityScore
from mlops.models.training import Interval
from mlops.monitoring.quality.proportions import Z_95
from mlops.monitoring.statistics.student_t import t_deviate

N_CLUSTERS = 32
MIN_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Dependence:
    """By how much the variance of a score is larger than that of independent rows.

    `effect` is at least 1. `n_clusters` is the number of groups of ids that it comes from, None where every
    row has an id of its own.
    """

    effect: float = 1.0
    n_clusters: int | None = None

    def score(self, value: float, interval: Interval) -> QualityScore:
        """Return the score with its interval; without one when too few ids say how different they are."""
        if self.n_clusters is not None and self.n_clusters < MIN_CLUSTERS:
            return QualityScore(value, None, self.n_clusters)
        return QualityScore(value, interval, self.n_clusters)


INDEPENDENT = Dependence()


def dependence_of(sums: NDArray[np.float64], variance: float) -> Dependence:
    """Return the dependence of rows.

    Parameters
    ----------
    sums
        The influences of the rows summed over each group of ids, shape (number of groups,).
    variance
        The sum of the squared influences of all rows: the variance of the sum of as many independent ones.
    """
    n_clusters = len(sums)
    if n_clusters < MIN_CLUSTERS or variance <= 0.0:
        return Dependence(n_clusters=n_clusters)
    of_clusters = n_clusters / (n_clusters - 1.0) * float(((sums - sums.mean()) ** 2).sum())
    # a variance of few groups is uncertain itself, so the interval is that of Student's t distribution
    uncertainty = (t_deviate(Z_95, n_clusters - 1.0) / Z_95) ** 2
    return Dependence(max(1.0, of_clusters / variance) * uncertainty, n_clusters)


def dependence(
    influence: NDArray[np.float64], n: NDArray[np.float64], clusters: NDArray[np.int16] | None
) -> Dependence:
    """Return the dependence of counted rows.

    Parameters
    ----------
    influence, n, clusters
        Of each entry of the counts: how far one of its rows moves the score, how many they are, and the group
        of their ids. All rows are independent where `clusters` is None.
    """
    if clusters is None:
        return INDEPENDENT
    present, positions = np.unique(clusters, return_inverse=True)
    sums = np.bincount(positions, influence * n, len(present)).astype(np.float64)
    return dependence_of(sums, float((n * influence**2).sum()))
