"""Permutation importance: what the primary score loses when one column is shuffled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mlops.pipelines.artifacts.model import Model
from mlops.pipelines.evaluation.evaluation import over_labels
from mlops.pipelines.evaluation.scores import primary_score

_MAX_FEATURES = 100
_MAX_ROWS = 1_000
_REPEATS = (2, 5)
_MAX_SCORED_ROWS = 100_000


def permutation_importance(
    model: Model,
    aligned: pd.DataFrame,
    y: np.ndarray,
    promise: Mapping[str, float],
    *,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return the mean loss of the primary score by feature, never below 0, the most important first.

    Measured on at most 1,000 held-out rows. Every column is shuffled five times, or of many columns each so
    often that 100,000 rows are scored in all, but twice at least. Of more than 100 features only the 100 that
    promise most are shuffled; the others count as 0.

    Parameters
    ----------
    model
        The fitted model.
    aligned, y
        Held-out rows in the model's form, and their truth.
    promise
        A score per feature that says which to look at first.
    rng
        Source of the shuffling.
    """
    rows = np.sort(rng.permutation(len(aligned))[:_MAX_ROWS])
    sample, truth = aligned.iloc[rows].reset_index(drop=True), y[rows]
    names = sorted(map(str, aligned.columns), key=lambda name: -promise.get(name, 0.0))[:_MAX_FEATURES]
    base = _primary(model, sample, truth)
    found = dict.fromkeys(map(str, aligned.columns), 0.0)
    few, many = _REPEATS
    n_repeats = min(many, max(few, _MAX_SCORED_ROWS // (len(names) * len(sample))))
    for name in names:
        found[name] = max(0.0, base - _shuffled_score(model, sample, truth, name, n_repeats, rng))
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def _shuffled_score(
    model: Model,
    sample: pd.DataFrame,
    truth: np.ndarray,
    name: str,
    n_repeats: int,
    rng: np.random.Generator,
) -> float:
    """Score all repeats in one call: the fixed cost of a call outweighs that of the rows."""
    orders = [rng.permutation(len(sample)) for _ in range(n_repeats)]
    stacked = pd.concat([sample] * n_repeats, ignore_index=True)
    stacked[name] = sample[name].array.take(np.concatenate(orders))
    scores = over_labels(model.score_aligned(stacked), _n_labels(model, truth))
    parts = np.split(np.arange(len(stacked)), n_repeats)
    found = [primary_score(model.schema.task, truth, scores.take(part)) or 0.0 for part in parts]
    return float(np.mean(found))


def _primary(model: Model, sample: pd.DataFrame, truth: np.ndarray) -> float:
    scores = over_labels(model.score_aligned(sample), _n_labels(model, truth))
    return primary_score(model.schema.task, truth, scores) or 0.0


def _n_labels(model: Model, truth: np.ndarray) -> int:
    """Count the labels of model and truth together: held-out rows may have classes that training had not."""
    if model.schema.task == "regression":
        return 0
    return max(len(model.schema.labels), int(truth.max()) + 1)
