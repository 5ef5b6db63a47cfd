"""Curves and calibration of the held-out rows, few enough points to be kept with every version."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mlops.models.evaluation import CalibrationBin, EvaluationDetails, Point
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.slices import worst_slices

MAX_CURVES = 6
MAX_POINTS = 120
_MAX_SAMPLE = 400
_N_BINS = 10


def describe_evaluation(
    judged: JudgedRows, aligned: pd.DataFrame, importance: Mapping[str, float], rng: np.random.Generator
) -> EvaluationDetails:
    """Return what the plots need.

    Parameters
    ----------
    judged, aligned
        The held-out rows, and their features; slices are made of the most important of these.
    importance
        By feature, the most important first.
    rng
        Source of the bootstrap draws, and of the sample of a regression.
    """
    y, predicted = judged.y, judged.scores.predicted
    slices = worst_slices(judged, aligned, list(importance), rng)
    if judged.task == "regression":
        rows = np.sort(rng.permutation(len(y))[:_MAX_SAMPLE])
        sample = tuple(zip(predicted[rows].tolist(), y[rows].tolist(), strict=True))
        bins = _calibration(predicted, y.astype(np.float64))
        return EvaluationDetails(calibration=bins, sample=sample, slices=slices)
    roc, precision_recall = _curves(judged)
    return EvaluationDetails(roc, precision_recall, class_calibration(judged), (), slices)


def _curves(judged: JudgedRows) -> tuple[dict[str, tuple[Point, ...]], dict[str, tuple[Point, ...]]]:
    from sklearn.metrics import precision_recall_curve, roc_curve

    probabilities, labels = judged.scores.probabilities, judged.problem.labels
    if probabilities is None:
        return {}, {}
    counts = np.bincount(judged.y, minlength=len(labels))
    shown = [1] if judged.task == "binary" else np.argsort(-counts, kind="stable")[:MAX_CURVES].tolist()
    roc: dict[str, tuple[Point, ...]] = {}
    precision_recall: dict[str, tuple[Point, ...]] = {}
    for label in shown:
        is_label = judged.y == label
        if is_label.all() or not is_label.any():
            continue
        name = labels[label]
        false_positive, true_positive, _ = roc_curve(is_label, probabilities[:, label])
        roc[name] = _thinned(false_positive, true_positive)
        precision, recall, _ = precision_recall_curve(is_label, probabilities[:, label])
        is_defined = recall > 0.0  # before the first hit precision is not defined
        precision_recall[name] = _thinned(recall[is_defined][::-1], precision[is_defined][::-1])
    return roc, precision_recall


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[Point, ...]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).round().astype(int))
    return tuple(zip(x[kept].round(5).tolist(), y[kept].round(5).tolist(), strict=True))


def class_calibration(judged: JudgedRows) -> tuple[CalibrationBin, ...]:
    """Divide the rows by the probability of the positive class, or of several classes the most probable."""
    probabilities = judged.scores.probabilities
    if probabilities is None:
        return ()
    if judged.task == "binary":
        return _calibration(probabilities[:, 1], (judged.y == 1).astype(np.float64))
    is_right = probabilities.argmax(axis=1) == judged.y
    return _calibration(probabilities.max(axis=1), is_right.astype(np.float64))


def _calibration(predicted: np.ndarray, observed: np.ndarray) -> tuple[CalibrationBin, ...]:
    """Divide the rows into ten equal parts by prediction; equal predictions stay together."""
    edges = np.unique(np.quantile(predicted, np.linspace(0.0, 1.0, _N_BINS + 1)[1:-1]))
    numbers = np.searchsorted(edges, predicted, side="left")
    parts = [numbers == number for number in np.unique(numbers)]
    return tuple(
        CalibrationBin(float(predicted[part].mean()), float(observed[part].mean()), int(part.sum()))
        for part in parts
    )
