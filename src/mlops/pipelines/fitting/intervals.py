"""Intervals of numbers and sets of classes, from what models predict for training rows out of fold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mlops.pipelines.compiled.outputs import PredictionIntervals, PredictionSets

MIN_ROWS = 50
_ROWS_PER_PART = 100
_MAX_PARTS = 10
_N_FOLDS = 5
_LEAST_REACH = 1e-3  # of the mean absolute error, where all errors of a part are on the other side


def fit_intervals(y: np.ndarray, predicted: np.ndarray, coverage: float) -> PredictionIntervals | None:
    """Return intervals that contain the truth of a new row with this probability; None for too few rows.

    Their shape is that of the errors in parts of about the same prediction, because errors grow with what is
    predicted and are skewed: of the rows that may be missed, as many are below as give the shortest ones. A
    factor for each part then makes them contain the promised share of rows that had no part in the shape.

    Parameters
    ----------
    y, predicted
        Truth and predictions out of fold, shape (n,).
    coverage
        0.5..0.99.

    References
    ----------
    Lei et al., Distribution-Free Predictive Inference for Regression, JASA 2018 (split conformal, errors
    divided by their usual size); Vovk, Cross-conformal predictors, 2015 (errors out of fold); Romano et al.,
    Conformalized Quantile Regression, NeurIPS 2019 (quantiles on both sides, corrected together).
    """
    if len(y) < MIN_ROWS or _rank(len(y), coverage) > len(y):
        return None
    shuffled = np.random.default_rng(0).permutation(len(y))  # equal predictions may be in two parts
    y, predicted = y[shuffled], predicted[shuffled]
    n_parts = max(1, min(_MAX_PARTS, len(y) // _ROWS_PER_PART))
    best = min(_shares_missed(coverage), key=lambda missed: _width(_shape(y, predicted, n_parts, missed)))
    distances = np.empty(len(y))
    for fold in range(_N_FOLDS):
        left_out = np.arange(len(y)) % _N_FOLDS == fold
        shape = _shape(y[~left_out], predicted[~left_out], n_parts, best)
        distances[left_out] = _distances(shape, y[left_out], predicted[left_out])
    shape = _shape(y, predicted, n_parts, best)
    factors = [_factor(distances[part], coverage) for part in _parts(predicted, n_parts)]
    return replace(
        shape,
        coverage=coverage,
        low=tuple((np.array(shape.low) * factors).tolist()),
        high=tuple((np.array(shape.high) * factors).tolist()),
    )


def fit_prediction_sets(y: np.ndarray, probabilities: np.ndarray, coverage: float) -> PredictionSets:
    """Return sets that contain the true class of a new row of each class with this probability.

    A class of too few rows is in every set.

    Parameters
    ----------
    y
        Positions of classes, shape (n,).
    probabilities
        Calibrated, out of fold, shape (n, classes).
    coverage
        0.5..0.99.

    References
    ----------
    Sadinle et al., Least Ambiguous Set-Valued Classifiers with Bounded Error Levels, JASA 2019; Vovk,
    Conditional validity of inductive conformal predictors, 2012 (a quantile for each class).
    """
    of_classes = (probabilities[y == label, label] for label in range(probabilities.shape[1]))
    return PredictionSets(coverage, tuple(_least_probability(of_class, coverage) for of_class in of_classes))


def _least_probability(of_truth: np.ndarray, coverage: float) -> float:
    """Return the probability of the true class that the promised share of rows reaches; 0 for few rows."""
    rank = _rank(len(of_truth), coverage)
    return float(np.sort(of_truth)[-rank]) if rank <= len(of_truth) else 0.0


def _shares_missed(coverage: float) -> list[tuple[float, float]]:
    """Return the shares of rows that may be missed below and above; the shortest may not be the central."""
    return [
        ((1.0 - coverage) * share, (1.0 - coverage) * (1.0 - share)) for share in (0.5, 0.25, 0.75, 0.0, 1.0)
    ]


def _width(shape: PredictionIntervals) -> float:
    return float(np.subtract(shape.high, shape.low).mean())


def _rank(n_rows: int, coverage: float) -> int:
    """Return which of the ordered distances bounds the promised share, with the row to come."""
    return math.ceil((n_rows + 1) * coverage)


def _factor(distances: np.ndarray, coverage: float) -> float:
    return float(np.sort(distances)[min(_rank(len(distances), coverage), len(distances)) - 1])


def _parts(predicted: np.ndarray, n_parts: int) -> list[np.ndarray]:
    """Return the rows by the size of the prediction, in parts of about as many; a row is in one of them."""
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, n_parts)
    last = np.array([predicted[part[-1]] for part in parts])
    return [part for part, is_new in zip(parts, np.diff(last, prepend=-np.inf) > 0.0, strict=True) if is_new]


def _shape(
    y: np.ndarray, predicted: np.ndarray, n_parts: int, missed: tuple[float, float]
) -> PredictionIntervals:
    """Return the quantiles of the errors on both sides, by part."""
    parts, errors = _parts(predicted, n_parts), y - predicted
    ends = np.array([np.quantile(errors[part], (missed[0], 1.0 - missed[1])) for part in parts])
    least = max(_LEAST_REACH * float(np.abs(errors).mean()), np.finfo(np.float64).tiny)
    return PredictionIntervals(
        1.0 - sum(missed),
        predicted=tuple(float(np.median(predicted[part])) for part in parts),
        low=tuple(np.minimum(ends[:, 0], -least).tolist()),
        high=tuple(np.maximum(ends[:, 1], least).tolist()),
    )


def _distances(shape: PredictionIntervals, y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return how far each truth is from its prediction; 1.0 is the end of the interval on its side."""
    low, high = shape.offsets(predicted)
    distances: np.ndarray = np.abs(y - predicted) / np.where(y < predicted, -low, high)
    return distances
