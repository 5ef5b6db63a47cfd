"""Scores of predicted classes from their counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops.models.scoring.quality import QualityScore
from mlops.monitoring.quality.counts import ClassCounts, Floats
from mlops.monitoring.quality.dependence import Dependence, dependence
from mlops.monitoring.quality.proportions import f1, mean_of_shares, share_interval
from mlops.monitoring.quality.roc_area import roc_auc


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
