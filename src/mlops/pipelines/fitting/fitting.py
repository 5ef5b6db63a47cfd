"""Fitting an algorithm to training rows: the weights, the fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops.algorithms.contenders import EARLY_STOPPING
from mlops.algorithms.cores import threads_for
from mlops.algorithms.selection import ConfiguredEstimator, configure
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.pipelines.artifacts.model import FeatureColumn
from mlops.pipelines.fitting.preprocessing import column_directions, forget_folds, make_preprocessing


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted scikit-learn Pipeline, what its estimator is, and the warnings of the libraries."""

    pipeline: Any
    configured: ConfiguredEstimator
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WeightedRows:
    """A prepared matrix, the truth of its rows, and a weight for each, None for none."""

    matrix: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Unfitted:
    """A scikit-learn Pipeline of `preprocessing` and `estimator`, and a weight per row, None for none."""

    pipeline: Any
    configured: ConfiguredEstimator
    weights: np.ndarray | None


def fit_pipeline(
    aligned: pd.DataFrame,
    y: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
    *,
    folds: np.ndarray | None = None,
    n_rounds: int | None = None,
) -> Fit:
    """Fit preprocessing and estimator to rows in the model's form.

    `folds` keeps persons and groups whole where the preprocessing looks at the target. `n_rounds` of boosting
    take the place of the most that the settings allow.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value, in the library's words.
    """
    unfitted = prepare_fit(features, settings, task, y, folds=folds)
    preprocessing = unfitted.pipeline.named_steps["preprocessing"]
    if n_rounds is not None:
        unfitted.configured.estimator.set_params(n_estimators=n_rounds)
    matrix = preprocessing.fit_transform(aligned, y)
    set_directions(unfitted.configured, features, settings, matrix.shape[1])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_estimator(unfitted.configured, WeightedRows(matrix, y, unfitted.weights))
    forget_folds(preprocessing)
    messages = tuple(sorted({_first_sentence(item) for item in caught}))
    return Fit(unfitted.pipeline, unfitted.configured, messages)


def set_directions(
    configured: ConfiguredEstimator,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    n_columns: int,
) -> None:
    """Tell the estimator in which direction the columns of a prepared matrix may move its output."""
    directions = column_directions(features, settings.monotonic, n_columns)
    argument = configured.algorithm.directions
    if directions is not None and argument is not None:
        configured.estimator.set_params(**{argument: directions})


def fit_estimator(
    configured: ConfiguredEstimator,
    rows: WeightedRows,
    validation: WeightedRows | None = None,
) -> int | None:
    """Fit the estimator to a prepared matrix; return the best number of rounds where boosting stopped early.

    Parameters
    ----------
    configured
        The estimator; it is fitted in place.
    rows
        What it is fitted to.
    validation
        Rows that boosting stops by, where the settings say after how many rounds without an improvement.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value, in the library's words.
    """
    estimator, name = configured.estimator, configured.algorithm.name
    arguments: dict[str, Any] = {} if rows.weights is None else {"sample_weight": rows.weights}
    patience = configured.hyperparameters.get(EARLY_STOPPING)
    stops_by = validation if patience and validation and len(validation.y) else None
    if stops_by:
        estimator.set_params(early_stopping_rounds=patience)
        arguments |= {"eval_set": [(stops_by.matrix, stops_by.y)], "verbose": False}
        arguments |= {} if rows.weights is None else {"sample_weight_eval_set": [stops_by.weights]}
    try:
        with threads_for(estimator, rows.matrix):
            estimator.fit(rows.matrix, rows.y, **arguments)
    except (ValueError, TypeError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise TrainingError(f"{name} cannot be fitted: {first_line}") from error
    return estimator.best_iteration + 1 if stops_by else None


def prepare_fit(
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
    y: np.ndarray,
    *,
    folds: np.ndarray | None = None,
) -> Unfitted:
    """Return the Pipeline and the row weights for rows of this target.

    Raises
    ------
    TrainingError
        If `class_weight` is neither "balanced" nor left out.
    """
    from sklearn.pipeline import Pipeline

    configured = configure(settings, task)
    preprocessing = make_preprocessing(features, configured.algorithm, task, y, folds=folds)
    pipeline = Pipeline([("preprocessing", preprocessing), ("estimator", configured.estimator)])
    return Unfitted(pipeline, configured, row_weights(y, configured.hyperparameters.get("class_weight")))


def row_weights(y: np.ndarray, class_weight: Any) -> np.ndarray | None:
    """Return a weight per row for `class_weight` "balanced" (each class weighs the same), None for None.

    Raises
    ------
    TrainingError
        If the hyperparameter is anything else.
    """
    if class_weight in (None, "none"):
        return None
    if class_weight != "balanced":
        raise TrainingError(f"class_weight must be 'balanced' or left out, not {class_weight!r}.")
    counts = np.bincount(y)
    weights: np.ndarray = len(y) / (np.count_nonzero(counts) * counts[y])
    return weights


def _first_sentence(item: warnings.WarningMessage) -> str:
    text = str(item.message).strip().splitlines()[0]
    return f"{item.category.__name__}: {text[:200]}"
