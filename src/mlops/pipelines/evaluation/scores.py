"""The scores of each task; scikit-learn does the arithmetic, and greater is always better.

Areas under the curves of ranked rows are computed here as well, for the many scores that resampling needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlops.models.settings.group import TaskName
from mlops.pipelines.artifacts.model import Scores

PRIMARY: dict[TaskName, str] = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "r2"}
ERROR_QUANTILES = {"neg_absolute_error_q80": 0.8, "neg_absolute_error_q95": 0.95}


def compute_scores(task: TaskName, y: np.ndarray, scores: Scores) -> dict[str, float]:
    """Return the scores of predictions against the truth, by scorer name.

    A score that these rows do not define, as ROC-AUC with one class only, is left out.

    Parameters
    ----------
    task
        Decides which scores there are.
    y
        Truth: positions of labels, shape (n,), or numbers.
    scores
        Predictions for the same rows, with one probability column per label.
    """
    from sklearn import config_context

    with config_context(assume_finite=True, skip_parameter_validation=True):
        values = _BY_TASK[task](y, scores)
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def primary_score(task: TaskName, y: np.ndarray, scores: Scores) -> float | None:
    """Return the score that decides alone, as `compute_scores` has it; None where these rows define none.

    Importance and slices ask for it some hundred times: classes are counted and ranked here, because
    scikit-learn's functions would spend most of the time on checking their arguments.
    """
    if task == "multiclass":
        return _mean_recall(y, scores.predicted)
    if len(np.unique(y)) < 2:
        return None
    if task == "binary":
        return area_under_roc(y == 1, _probabilities(scores)[:, 1])
    from sklearn import config_context, metrics

    with config_context(assume_finite=True, skip_parameter_validation=True):
        return float(metrics.r2_score(y, scores.predicted))


def _binary(y: np.ndarray, scores: Scores) -> dict[str, float]:
    from sklearn import metrics

    predicted, probability = scores.predicted, _probabilities(scores)[:, 1]
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, predicted, average="binary", zero_division=0.0
    )
    values = {
        **_of_decisions(y, predicted),
        "f1": f1,
        "precision": precision,
        "recall": recall,
        "neg_log_loss": -metrics.log_loss(y, probability, labels=[0, 1]),
        "neg_brier_score": -metrics.brier_score_loss(y, probability, labels=[0, 1], pos_label=1),
    }
    if len(np.unique(y)) == 2:
        values["roc_auc"] = metrics.roc_auc_score(y, probability)
        values["average_precision"] = metrics.average_precision_score(y, probability)
    return values


def _multiclass(y: np.ndarray, scores: Scores) -> dict[str, float]:
    from sklearn import metrics

    probabilities = _probabilities(scores)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)  # XGBoost's are 32-bit floats
    labels = np.arange(probabilities.shape[1])
    present = [int(label) for label in np.unique(y)]
    values = {
        **_of_decisions(y, scores.predicted),
        "neg_log_loss": -metrics.log_loss(y, probabilities, labels=labels),
        "neg_brier_score": -metrics.brier_score_loss(y, probabilities, labels=labels),
    }
    if len(present) > 1:
        areas = [metrics.roc_auc_score(y == label, probabilities[:, label]) for label in present]
        values["roc_auc_ovr"] = float(np.mean(areas))
    return values


def _regression(y: np.ndarray, scores: Scores) -> dict[str, float]:
    from sklearn import metrics

    values = {
        "neg_mean_absolute_error": -metrics.mean_absolute_error(y, scores.predicted),
        "neg_root_mean_squared_error": -metrics.root_mean_squared_error(y, scores.predicted),
        "neg_median_absolute_error": -metrics.median_absolute_error(y, scores.predicted),
        **{
            name: -np.quantile(np.abs(y - scores.predicted), share, method="inverted_cdf")
            for name, share in ERROR_QUANTILES.items()
        },
    }
    if len(y) > 1 and np.ptp(y) > 0:
        values["r2"] = metrics.r2_score(y, scores.predicted)
    return values


def _balanced_accuracy(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean recall of the classes that these rows have."""
    from sklearn.metrics import recall_score

    values: float = recall_score(y, predicted, labels=np.unique(y), average="macro", zero_division=0.0)
    return values


def _mean_recall(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the same by two counts."""
    counts = np.bincount(y)
    hits = np.bincount(y[y == predicted], minlength=len(counts))
    return float(np.mean(hits[counts > 0] / counts[counts > 0]))


def _of_decisions(y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    from sklearn import metrics

    return {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced_accuracy": _balanced_accuracy(y, predicted),
        "f1_macro": metrics.f1_score(y, predicted, average="macro", zero_division=0.0),
    }


def _probabilities(scores: Scores) -> np.ndarray:
    if scores.probabilities is None:
        raise ValueError("A classification needs probabilities.")
    return scores.probabilities


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows from the highest probability down, in blocks of equal ones."""

    order: np.ndarray
    is_positive: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, is_positive: np.ndarray, probability: np.ndarray) -> Self:
        """Rank rows by the probability that each is positive."""
        order = np.argsort(-probability, kind="stable")
        starts = np.flatnonzero(np.diff(probability[order], prepend=np.inf))
        return cls(order, is_positive[order], starts)

    def both_areas(self, weights: np.ndarray) -> dict[str, float]:
        """Return ROC-AUC and average precision; nothing when only one class has weight."""
        positive, negative = self._blocks(weights)
        n_positive, n_negative = positive.sum(), negative.sum()
        if not n_positive or not n_negative:
            return {}
        above = positive.cumsum()
        area = ((above - positive / 2.0) * negative).sum() / (n_positive * n_negative)
        total = above + negative.cumsum()
        precision = above / np.maximum(total, 1.0)
        return {
            "roc_auc": float(area),
            "average_precision": float((precision * positive).sum() / n_positive),
        }

    def _blocks(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = weights[self.order]
        positive = np.add.reduceat(drawn * self.is_positive, self.starts)
        return positive, np.add.reduceat(drawn, self.starts) - positive


def area_under_roc(is_positive: np.ndarray, probability: np.ndarray) -> float:
    """Return ROC-AUC of rows of both classes, as scikit-learn has it, without checking the arguments."""
    return Ranking.of(is_positive, probability).both_areas(np.ones(len(probability)))["roc_auc"]


_BY_TASK: dict[TaskName, Callable[[np.ndarray, Scores], dict[str, float]]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "regression": _regression,
}
