"""Curves and calibration of the held-out rows, few enough points to be kept with every version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mlops.models.evaluation import CalibrationBin, EvaluationDetails, Point
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.slices import JudgedRows, worst_slices
from mlops.pipelines.features.task import Problem

MAX_CURVES = 6
MAX_POINTS = 120
_MAX_SAMPLE = 400
_N_BINS = 10


def describe_evaluation(
    problem: Problem,
    y_test: np.ndarray,
    scores: Scores,
    aligned: pd.DataFrame,
    importance: Mapping[str, float],
    *,
    members: np.ndarray,
    rng: np.random.Generator,
) -> EvaluationDetails:
    """Return what the plots need.

    Parameters
    ----------
    problem, y_test, scores
        As for `evaluate`.
    aligned
        The held-out rows in the model's form; slices are made of the most important of its columns.
    importance
        By feature, the most important first.
    members
        The person or group of each row, for the intervals of the slices.
    rng
        Source of the bootstrap draws, and of the sample of a regression.
    """
    judged = JudgedRows(problem.task, y_test, scores, members)
    slices = worst_slices(judged, aligned, list(importance), rng)
    if problem.task == "regression":
        rows = np.sort(rng.permutation(len(y_test))[:_MAX_SAMPLE])
        sample = tuple(zip(scores.predicted[rows].tolist(), y_test[rows].tolist(), strict=True))
        bins = _calibration(scores.predicted, y_test.astype(np.float64))
        return EvaluationDetails(calibration=bins, sample=sample, slices=slices)
    roc, precision_recall = _curves(problem, y_test, scores)
    return EvaluationDetails(roc, precision_recall, class_calibration(problem, y_test, scores), (), slices)


def _curves(
    problem: Problem, y_test: np.ndarray, scores: Scores
) -> tuple[dict[str, tuple[Point, ...]], dict[str, tuple[Point, ...]]]:
    from sklearn.metrics import precision_recall_curve, roc_curve  # noqa: PLC0415

    probabilities = scores.probabilities
    if probabilities is None:
        return {}, {}
    counts = np.bincount(y_test, minlength=len(problem.labels))
    shown = [1] if problem.task == "binary" else np.argsort(-counts, kind="stable")[:MAX_CURVES].tolist()
    roc: dict[str, tuple[Point, ...]] = {}
    precision_recall: dict[str, tuple[Point, ...]] = {}
    for label in shown:
        is_label = y_test == label
        if is_label.all() or not is_label.any():
            continue
        name = problem.labels[label]
        false_positive, true_positive, _ = roc_curve(is_label, probabilities[:, label])
        roc[name] = _thinned(false_positive, true_positive)
        precision, recall, _ = precision_recall_curve(is_label, probabilities[:, label])
        is_defined = recall > 0.0  # before the first hit precision is not defined
        precision_recall[name] = _thinned(recall[is_defined][::-1], precision[is_defined][::-1])
    return roc, precision_recall


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[Point, ...]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).round().astype(int))
    return tuple(zip(x[kept].round(5).tolist(), y[kept].round(5).tolist(), strict=True))


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float | None:
    """Return the expected calibration error: the mean distance of prediction and outcome over the rows.

    Few rows raise it: also a perfectly calibrated model is off in parts of ten rows.

    Parameters
    ----------
    bins
        Rows by prediction, as `class_calibration` divides them.

    Returns
    -------
    float or None
        0.0 = what is predicted comes true as often; None without rows.

    References
    ----------
    Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015;
    with parts of equal numbers of rows, as Nguyen and O'Connor, EMNLP 2015. Of several classes it is that of
    the most probable one, as Guo et al., ICML 2017.
    """
    n_rows = sum(part.n_rows for part in bins)
    distances = (part.n_rows * abs(part.predicted - part.observed) for part in bins)
    return sum(distances) / n_rows if n_rows else None


def class_calibration(problem: Problem, y_test: np.ndarray, scores: Scores) -> tuple[CalibrationBin, ...]:
    """Divide the rows by the probability of the positive class, or of several classes the most probable."""
    if scores.probabilities is None:
        return ()
    if problem.task == "binary":
        return _calibration(scores.probabilities[:, 1], (y_test == 1).astype(np.float64))
    chosen = scores.probabilities.argmax(axis=1)
    return _calibration(scores.probabilities.max(axis=1), (chosen == y_test).astype(np.float64))


def _calibration(predicted: np.ndarray, observed: np.ndarray) -> tuple[CalibrationBin, ...]:
    """Divide the rows into ten equal parts by prediction; equal predictions stay together."""
    edges = np.unique(np.quantile(predicted, np.linspace(0.0, 1.0, _N_BINS + 1)[1:-1]))
    numbers = np.searchsorted(edges, predicted, side="left")
    parts = [numbers == number for number in np.unique(numbers)]
    return tuple(
        CalibrationBin(float(predicted[part].mean()), float(observed[part].mean()), int(part.sum()))
        for part in parts
    )
