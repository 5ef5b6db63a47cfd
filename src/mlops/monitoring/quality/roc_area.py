"""The area under the ROC curve of counted predictions, with the interval of DeLong.

References: DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver
operating characteristic curves, Biometrics 44, 1988; on the scale of the log-odds, where small samples keep
their coverage: Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2.
"""

from __future__ import annotations

import math

import numpy as np

from mlops.models.scoring.quality import QualityScore
from mlops.models.training import Interval
from mlops.monitoring.quality.counts import ClassCounts, Floats
from mlops.monitoring.quality.dependence import dependence
from mlops.monitoring.quality.proportions import Z_95

MIN_OF_CLASS = 10


def roc_auc(counts: ClassCounts) -> QualityScore | None:
    """Return the area; None with fewer than ten labels of either class, or without probabilities."""
    is_known = np.isfinite(counts.probability) & (counts.label >= 0)
    bins, positions = np.unique(counts.bins[is_known], return_inverse=True)
    n, is_positive = counts.n[is_known], counts.label[is_known] == 1
    positive = np.bincount(positions, n * is_positive, len(bins)).astype(np.float64)
    negative = np.bincount(positions, n * ~is_positive, len(bins)).astype(np.float64)
    if min(positive.sum(), negative.sum()) < MIN_OF_CLASS:
        return None
    above_negatives = _share_below(negative)  # of each positive: the share of negatives that it outranks
    above_positives = 1.0 - _share_below(positive)
    area = float((above_negatives * positive).sum() / positive.sum())
    variance = _variance_of_mean(above_negatives, positive) + _variance_of_mean(above_positives, negative)
    influence = np.where(
        is_positive,
        (above_negatives[positions] - area) / positive.sum(),
        (above_positives[positions] - area) / negative.sum(),
    )
    clusters = None if counts.clusters is None else counts.clusters[is_known]
    within_ids = dependence(influence, n, clusters)
    return within_ids.score(area, _interval(area, variance * within_ids.effect))


def _share_below(counts: Floats) -> Floats:
    """Return the share of rows in lower bins; those of the same bin count half."""
    shares: Floats = (counts.cumsum() - counts / 2.0) / counts.sum()
    return shares


def _variance_of_mean(values: Floats, n: Floats) -> float:
    total = n.sum()
    mean = (values * n).sum() / total
    return float((n * (values - mean) ** 2).sum() / (total - 1.0) / total)


def _interval(area: float, variance: float) -> Interval:
    if not 0.0 < area < 1.0:
        return area, area
    middle, half = math.log(area / (1.0 - area)), Z_95 * variance**0.5 / (area * (1.0 - area))
    low, high = (1.0 / (1.0 + math.exp(-value)) for value in (middle - half, middle + half))
    return low, high
