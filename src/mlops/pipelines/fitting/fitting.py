"""Fitting an algorithm to training rows."""

from __future__ import annotations

import importlib
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops.algorithms.selection import algorithm, effective_hyperparameters, make_estimator
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.pipelines.features.schema import FeatureColumn
from mlops.pipelines.fitting.preprocessing import forget_folds, make_preprocessing

_CELLS_FOR_THREADS = 2_000_000


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted scikit-learn Pipeline, and what the libraries had to say about it."""

    pipeline: Any
    warnings: tuple[str, ...] = ()


def fit_pipeline(
    aligned: pd.DataFrame,
    y: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
    *,
    folds: np.ndarray | None = None,
) -> Fit:
    """Fit preprocessing and estimator to rows in the model's form.

    `folds` keeps persons and groups whole where the preprocessing looks at the target.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value, in the library's words.
    """
    n_jobs = worthwhile_threads(aligned)
    pipeline = unfitted_pipeline(features, settings, task, y, n_jobs=n_jobs, folds=folds)
    preprocessing, estimator = pipeline.named_steps["preprocessing"], pipeline.named_steps["estimator"]
    weights = row_weights(y, effective_hyperparameters(settings, task).get("class_weight"))
    arguments = {} if weights is None else {"sample_weight": weights}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(preprocessing.fit_transform(aligned, y), y, **arguments)
        except (ValueError, TypeError) as error:
            first_line = str(error).strip().splitlines()[0]
            raise TrainingError(f"{settings.algorithm} cannot be fitted: {first_line}") from error
    forget_folds(preprocessing)
    if "n_jobs" in estimator.get_params():
        # threads add up in any order; scoring is the same to the last bit without
        estimator.set_params(n_jobs=1)
    return Fit(pipeline, tuple(sorted({_first_sentence(item) for item in caught})))


def unfitted_pipeline(
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
    y: np.ndarray,
    *,
    n_jobs: int,
    folds: np.ndarray | None = None,
) -> Any:
    """Return the scikit-learn Pipeline of `preprocessing` and `estimator` for rows of this target."""
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    preprocessing = make_preprocessing(features, algorithm(settings.algorithm), task, y, folds=folds)
    estimator = make_estimator(settings, task, n_jobs=n_jobs)
    return Pipeline([("preprocessing", preprocessing), ("estimator", estimator)])


def worthwhile_threads(frame: pd.DataFrame) -> int:
    """Threads pay only on many cells: on 1,700 rows and two busy cores XGBoost took five times as long."""
    import joblib  # noqa: PLC0415

    return int(joblib.cpu_count()) if frame.size > _CELLS_FOR_THREADS else 1


def limited_threads(frame: pd.DataFrame) -> AbstractContextManager[Any]:
    """Limit the threads of those without `n_jobs`, as HistGradientBoosting and BLAS."""
    import sklearn  # noqa: F401, PLC0415  brings the OpenMP that is to be limited

    threadpoolctl: Any = importlib.import_module("threadpoolctl")  # has no type hints
    most = 1 if worthwhile_threads(frame) == 1 else None  # else as many as they are allowed already
    limits: AbstractContextManager[Any] = threadpoolctl.threadpool_limits(most)
    return limits


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
