"""Scores of predicted classes from their counts."""

from __future__ import annotations

import numpy as np

from mlops.models.scoring.quality import QualityScore
from mlops.monitoring.quality.counts import ClassCounts
from mlops.monitoring.quality.proportions import f1, mean_of_shares, share
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
    scores = {"accuracy": share(float(hits.sum()), n)}
    if recalls := [(float(hit), float(size)) for hit, size in zip(hits, of_label, strict=True) if size]:
        scores["balanced_accuracy"] = mean_of_shares(recalls)
    return {**scores, **_of_two_classes(counts, confusion, n)} if n_classes == 2 else scores


def _of_two_classes(counts: ClassCounts, confusion: np.ndarray, n: float) -> dict[str, QualityScore]:
    hits = float(confusion[1, 1])
    n_positive, n_predicted = float(confusion[1].sum()), float(confusion[:, 1].sum())
    scores: dict[str, QualityScore] = {}
    if n_predicted:
        scores["precision"] = share(hits, n_predicted)
    if n_positive:
        scores["recall"] = share(hits, n_positive)
    if n_positive + n_predicted:
        scores["f1"] = f1(hits, n_positive + n_predicted - 2.0 * hits, n)
    if (area := roc_auc(counts)) is not None:
        scores["roc_auc"] = area
    is_known = np.isfinite(counts.probability)
    if is_known.any():
        came_true = (counts.label == 1) * counts.n
        distances = counts.squares - 2.0 * (counts.label == 1) * counts.probability + came_true
        brier = distances[is_known].sum() / counts.n[is_known].sum()
        scores["neg_brier_score"] = QualityScore(-float(brier))
    return scores
