"""Scores of predicted classes from their counts; the interval of the area under the ROC curve is DeLong's.

References: DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver
operating characteristic curves, Biometrics 44, 1988; on the scale of the log-odds, where small samples keep
their coverage: Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mlops.models.scoring.quality import QualityScore
from mlops.models.training import Interval
from mlops.monitoring.quality.counts import ClassCounts, Floats
from mlops.monitoring.quality.dependence import Dependence, dependence
from mlops.monitoring.quality.proportions import Z_95, f1, mean_of_shares, share_interval

MIN_OF_CLASS = 10


def class_scores(counts: ClassCounts, n_classes: int) -> dict[str, QualityScore]:
    """Return the scores by scikit-learn's names; one that these labels do not define is left out.

    Parameters
    ----------
    n_classes
        How many classes the model has; with two, position 1 is the positive one.
    """
    n = float(counts.n.sum())
    if not n:
        return {}
    confusion = counts.confusion(n_classes)
    hits, of_label = np.diag(confusion)[:-1], confusion.sum(axis=1)[:-1]
    is_hit = (counts.label == counts.predicted) & (counts.label >= 0)
    everything = np.ones(len(counts.n), dtype=bool)
    scores = {"accuracy": _share(counts, is_hit, everything)}
    if recalls := [(float(hit), float(size)) for hit, size in zip(hits, of_label, strict=True) if size]:
        size = np.append(of_label, 0.0)[counts.label]  # of -1, a class that the model does not have: the last
        recall = np.append(hits, 0.0)[counts.label] / np.maximum(size, 1.0)
        influence = np.where(size > 0.0, (is_hit - recall) / np.maximum(size, 1.0), 0.0)
        within_ids = dependence(influence, counts.n, counts.clusters)
        scores["balanced_accuracy"] = within_ids.score(*mean_of_shares(recalls, within_ids.effect))
    return {**scores, **_of_two_classes(counts, confusion, n)} if n_classes == 2 else scores


def _share(counts: ClassCounts, is_hit: NDArray[np.bool_], is_counted: NDArray[np.bool_]) -> QualityScore:
    """Return how many of some rows are hits."""
    n = float(counts.n[is_counted].sum())
    hits = float(counts.n[is_counted & is_hit].sum())
    within_ids = dependence(is_counted * (is_hit - hits / n), counts.n, counts.clusters)
    return within_ids.score(hits / n, share_interval(hits / within_ids.effect, n / within_ids.effect))


def _of_two_classes(counts: ClassCounts, confusion: Floats, n: float) -> dict[str, QualityScore]:
    hits = float(confusion[1, 1])
    n_positive, n_predicted = float(confusion[1].sum()), float(confusion[:, 1].sum())
    is_positive, is_predicted = counts.label == 1, counts.predicted == 1
    scores: dict[str, QualityScore] = {}
    if n_predicted:
        scores["precision"] = _share(counts, is_positive, is_predicted)
    if n_positive:
        scores["recall"] = _share(counts, is_predicted, is_positive)
    if n_positive + n_predicted:
        misses = n_positive + n_predicted - 2.0 * hits
        within_ids = _dependence_of_f1(counts, 2.0 * hits / (2.0 * hits + misses))
        scores["f1"] = within_ids.score(*f1(hits, misses, n, within_ids.effect))
    if (area := roc_auc(counts)) is not None:
        scores["roc_auc"] = area
    is_known = np.isfinite(counts.probability)
    if is_known.any():
        came_true = (counts.label == 1) * counts.n
        distances = counts.squares - 2.0 * (counts.label == 1) * counts.probability + came_true
        brier = distances[is_known].sum() / counts.n[is_known].sum()
        scores["neg_brier_score"] = QualityScore(-float(brier))
    return scores


def _dependence_of_f1(counts: ClassCounts, value: float) -> Dependence:
    """Return the dependence of F1 = 2 a / (2 a + b); a true positive adds 2 to both sums."""
    is_positive, is_predicted = counts.label == 1, counts.predicted == 1
    influence = 2.0 * (is_positive & is_predicted) - value * (1.0 * is_positive + is_predicted)
    return dependence(influence, counts.n, counts.clusters)


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
    return within_ids.score(area, _interval_of_area(area, variance * within_ids.effect))


def _share_below(counts: Floats) -> Floats:
    """Return the share of rows in lower bins; those of the same bin count half."""
    shares: Floats = (counts.cumsum() - counts / 2.0) / counts.sum()
    return shares


def _variance_of_mean(values: Floats, n: Floats) -> float:
    total = n.sum()
    mean = (values * n).sum() / total
    return float((n * (values - mean) ** 2).sum() / (total - 1.0) / total)


def _interval_of_area(area: float, variance: float) -> Interval:
    if not 0.0 < area < 1.0:
        return area, area
    middle, half = math.log(area / (1.0 - area)), Z_95 * variance**0.5 / (area * (1.0 - area))
    low, high = (1.0 / (1.0 + math.exp(-value)) for value in (middle - half, middle + half))
    return low, high
