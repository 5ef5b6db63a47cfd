"""Fitting an algorithm to training rows, and choosing the threshold of a binary model on those rows alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops.errors import TrainingError
from mlops.models.group_settings import GroupSettings, TaskName
from mlops.pipelines.algorithms import algorithm, effective_hyperparameters, make_estimator
from mlops.pipelines.preprocessing import make_preprocessing
from mlops.pipelines.schema import FeatureColumn

N_FOLDS = 5
MAX_FOLDED_ROWS = 20_000
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
) -> Fit:
    """Fit preprocessing and estimator to rows in the model's form.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value, in the library's words.
    """
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    preprocessing = make_preprocessing(features, algorithm(settings.algorithm), len(aligned))
    estimator = make_estimator(settings, task, n_jobs=_n_jobs(aligned))
    pipeline = Pipeline([("preprocessing", preprocessing), ("estimator", estimator)])
    weights = row_weights(y, effective_hyperparameters(settings, task).get("class_weight"))
    arguments = {} if weights is None else {"estimator__sample_weight": weights}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pipeline.fit(aligned, y, **arguments)
        except (ValueError, TypeError) as error:
            first_line = str(error).strip().splitlines()[0]
            raise TrainingError(f"{settings.algorithm} cannot be fitted: {first_line}") from error
    if "n_jobs" in estimator.get_params():
        estimator.set_params(
            n_jobs=1
        )  # threads add up in any order; scoring is the same to the last bit without
    return Fit(pipeline, tuple(sorted({_first_sentence(item) for item in caught})))


def _n_jobs(aligned: pd.DataFrame) -> int:
    """Threads pay only on many cells: on 1,700 rows and two busy cores XGBoost took five times as long."""
    import joblib  # noqa: PLC0415

    return int(joblib.cpu_count()) if aligned.size > _CELLS_FOR_THREADS else 1


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


def choose_threshold(
    aligned: pd.DataFrame,
    y: np.ndarray,
    folds: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
) -> float:
    """Return the probability from which on a row counts as positive: that of the best balanced accuracy.

    Judged on training rows that the scoring model has not seen: out of fold, or on one fold when there are
    many rows. 0.5 when the rows are too few to tell.
    """
    last_fold = N_FOLDS if len(y) <= MAX_FOLDED_ROWS else 1
    seen, probabilities = [], []
    for fold in range(last_fold):
        held_out = folds == fold
        if not held_out.any() or len(np.unique(y[~held_out])) < 2:
            continue
        fit = fit_pipeline(aligned[~held_out], y[~held_out], features, settings, "binary")
        seen.append(y[held_out])
        probabilities.append(fit.pipeline.predict_proba(aligned[held_out])[:, 1])
    if not seen or len(np.unique(np.concatenate(seen))) < 2:
        return 0.5
    return best_threshold(np.concatenate(seen), np.concatenate(probabilities))


def best_threshold(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the cut of best balanced accuracy, halfway to the next lower probability.

    Halfway, because a cut that is itself some row's probability lets that row flip on the last bit.
    """
    from sklearn.metrics import roc_curve  # noqa: PLC0415

    false_positive_rate, true_positive_rate, thresholds = roc_curve(y, probabilities, drop_intermediate=False)
    best = int(np.argmax(true_positive_rate - false_positive_rate))
    if best == 0:  # nothing is better than calling every row negative
        return 0.5
    lower = thresholds[best + 1] if best + 1 < len(thresholds) else 0.0
    return float(thresholds[best] + lower) / 2


def _first_sentence(item: warnings.WarningMessage) -> str:
    text = str(item.message).strip().splitlines()[0]
    return f"{item.category.__name__}: {text[:200]}"
