"""Choosing on the training rows alone: the algorithm when none is set, the threshold of a binary model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlops.models.group_settings import GroupSettings, TaskName
from mlops.pipelines.algorithms import candidates, effective_hyperparameters
from mlops.pipelines.fitting import fit_pipeline
from mlops.pipelines.model import Scores
from mlops.pipelines.schema import FeatureColumn
from mlops.pipelines.scores import PRIMARY, compute_scores

N_FOLDS = 5
_ALL_FOLDS_UP_TO = 20_000
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What to train: settings with an algorithm, the threshold, and how each contender did out of fold."""

    settings: GroupSettings
    threshold: float | None = None
    contenders: Mapping[str, float] = field(default_factory=dict)


def choose(
    aligned: pd.DataFrame,
    y: np.ndarray,
    folds: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
) -> Choice:
    """Choose algorithm and threshold by what models say of training rows that they have not seen.

    The contender of the best primary score out of fold is taken, the simplest at a draw. Of more than
    20,000 rows one fold is judged, of more than 100,000 so many are looked at.

    Parameters
    ----------
    aligned, y
        Training rows in the model's form, and their truth.
    folds
        The fold of each row, 0..4; persons and groups stay whole.
    features, settings, task
        As for `fit_pipeline`; the algorithm may be `auto`.
    """
    contenders = candidates(settings, task)
    if len(contenders) == 1 and task != "binary":
        return Choice(contenders[0])
    rows = np.sort(np.random.default_rng(settings.seed).permutation(len(y))[:MAX_ROWS])
    aligned, y, folds = aligned.iloc[rows], y[rows], folds[rows]
    judged = [_out_of_fold(aligned, y, folds, features, contender, task) for contender in contenders]
    scores = [_primary(task, truth, said) for truth, said in judged]
    best = int(np.argmax(scores))
    threshold = best_threshold(judged[best][0], judged[best][1]) if task == "binary" else None
    names = [_describe(contender, task) for contender in contenders]
    shown = dict(zip(names, scores, strict=True)) if len(contenders) > 1 else {}
    return Choice(contenders[best], threshold, {name: s for name, s in shown.items() if np.isfinite(s)})


def best_threshold(y: np.ndarray, scores: Scores) -> float:
    """Return the probability from which on a row counts as positive: that of the best macro F1.

    Macro F1, because accuracy forgets a rare class and balanced accuracy pays for it with any number of
    false alarms: where one person in four is negative, its cut was wrong more often than saying "positive"
    to everybody. The cut lies halfway to the next lower probability, so that no row flips on the last bit;
    it is 0.5 when the rows are too few to tell.
    """
    if scores.probabilities is None or len(np.unique(y)) < 2:
        return 0.5
    probability = scores.probabilities[:, 1]
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    hits = (y[order] == 1).cumsum()[ends].astype(np.float64)
    called, n_positive, n_rows = ends + 1.0, float((y == 1).sum()), float(len(y))
    right_negative = n_rows - called - (n_positive - hits)
    of_positive = 2.0 * hits / (called + n_positive)
    of_negative = 2.0 * right_negative / np.maximum(n_rows - called + n_rows - n_positive, 1.0)
    best = int(np.argmax(of_positive + of_negative))
    cut = probability[order][ends]
    lower = cut[best + 1] if best + 1 < len(cut) else 0.0
    return float(cut[best] + lower) / 2.0


def _out_of_fold(
    aligned: pd.DataFrame,
    y: np.ndarray,
    folds: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
) -> tuple[np.ndarray, Scores]:
    """Return the truth of the judged rows and what models that were fitted without them say."""
    n_labels = 0 if task == "regression" else int(y.max()) + 1
    rows, predicted, probabilities = [], [], []
    for held_out in _held_out(y, folds, task):
        pipeline = fit_pipeline(aligned[~held_out], y[~held_out], features, settings, task).pipeline
        rows.append(y[held_out])
        if task == "regression":
            predicted.append(np.asarray(pipeline.predict(aligned[held_out]), dtype=np.float64))
            continue
        said = np.zeros((int(held_out.sum()), n_labels))
        said[:, pipeline.classes_] = pipeline.predict_proba(aligned[held_out])
        probabilities.append(said)
        predicted.append(said.argmax(axis=1))
    if not rows:
        return y[:0], Scores(y[:0], None if task == "regression" else np.zeros((0, n_labels)))
    return np.concatenate(rows), Scores(
        np.concatenate(predicted), np.concatenate(probabilities) if probabilities else None
    )


def _held_out(y: np.ndarray, folds: np.ndarray, task: TaskName) -> Iterator[np.ndarray]:
    for fold in range(N_FOLDS if len(y) <= _ALL_FOLDS_UP_TO else 1):
        held_out = folds == fold
        if held_out.any() and (task == "regression" or len(np.unique(y[~held_out])) > 1):
            yield held_out


def _primary(task: TaskName, y: np.ndarray, scores: Scores) -> float:
    if len(y) == 0:
        return -np.inf
    return compute_scores(task, y, scores).get(PRIMARY[task], -np.inf)


def _describe(settings: GroupSettings, task: TaskName) -> str:
    if not settings.hyperparameters:
        return settings.algorithm
    rate = effective_hyperparameters(settings, task).get("learning_rate")
    return f"{settings.algorithm}, learning rate {rate}" if rate else settings.algorithm
