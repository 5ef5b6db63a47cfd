"""Choosing on the training rows alone: algorithm and hyperparameters when none are set, and the threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlops.models.group_settings import GroupSettings, TaskName
from mlops.models.training import Trial
from mlops.pipelines.algorithms import candidates, effective_hyperparameters
from mlops.pipelines.fitting import fit_pipeline
from mlops.pipelines.model import Scores
from mlops.pipelines.schema import FeatureColumn
from mlops.pipelines.scores import primary_score
from mlops.pipelines.searching import search_hyperparameters

N_FOLDS = 5
# out of fold: on 4,000 rows scores spread by about 0.01, and more folds cost more than they tell
_ENOUGH_JUDGED_ROWS = 4_000
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What to train: settings with an algorithm, the threshold, and how it was chosen.

    `contenders` are primary scores out of fold by algorithm, `trials` what a search tried; both are empty
    where nothing was to be chosen.
    """

    settings: GroupSettings
    threshold: float | None = None
    contenders: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class _OutOfFold:
    """Training rows that were judged, and what models said of them that were fitted without them."""

    y: np.ndarray
    scores: Scores


def choose(
    aligned: pd.DataFrame,
    y: np.ndarray,
    folds: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
) -> Choice:
    """Choose algorithm, hyperparameters and threshold by what models say of training rows they have not seen.

    The contender of the best primary score out of fold is taken, the simplest at a draw; a search then looks
    for its hyperparameters. As many of the five folds are judged as hold 4,000 rows; of more than 100,000
    rows so many are looked at.

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
    chosen, judged, shown = contenders[0], None, {}
    if len(contenders) == 1 and task != "binary" and settings.search is None:
        return Choice(chosen)
    rows = np.sort(np.random.default_rng(settings.seed).permutation(len(y))[:MAX_ROWS])
    aligned, y, folds = aligned.iloc[rows], y[rows], folds[rows]
    if len(contenders) > 1:
        all_judged = [_out_of_fold(aligned, y, folds, features, one, task) for one in contenders]
        scores = [_primary(task, one) for one in all_judged]
        best = int(np.argmax(scores))
        chosen, judged = contenders[best], all_judged[best]
        names = [_describe(one, task) for one in contenders]
        shown = {name: score for name, score in zip(names, scores, strict=True) if np.isfinite(score)}
    search = None
    if settings.search is not None:
        search = search_hyperparameters(
            aligned, y, folds, features, chosen, task, fixed=settings.hyperparameters
        )
        chosen, judged = search.settings, None
    threshold = None
    if task == "binary":
        judged = judged or _out_of_fold(aligned, y, folds, features, chosen, task)
        threshold = best_threshold(judged.y, judged.scores)
    return Choice(chosen, threshold, shown, search.trials if search else ())


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
) -> _OutOfFold:
    n_labels = 0 if task == "regression" else int(y.max()) + 1
    rows, predicted, probabilities = [], [], []
    for held_out in _held_out(y, folds, task):
        kept = ~held_out
        fit = fit_pipeline(aligned[kept], y[kept], features, settings, task, folds=folds[kept])
        rows.append(y[held_out])
        if task == "regression":
            predicted.append(np.asarray(fit.pipeline.predict(aligned[held_out]), dtype=np.float64))
            continue
        said = np.zeros((int(held_out.sum()), n_labels))
        said[:, fit.pipeline.classes_] = fit.pipeline.predict_proba(aligned[held_out])
        probabilities.append(said)
        predicted.append(said.argmax(axis=1))
    if not rows:
        nobody = Scores(y[:0], None if task == "regression" else np.zeros((0, n_labels)))
        return _OutOfFold(y[:0], nobody)
    scores = Scores(np.concatenate(predicted), np.concatenate(probabilities) if probabilities else None)
    return _OutOfFold(np.concatenate(rows), scores)


def _held_out(y: np.ndarray, folds: np.ndarray, task: TaskName) -> Iterator[np.ndarray]:
    n_judged = 0
    for fold in range(N_FOLDS):
        held_out = folds == fold
        if held_out.any() and (task == "regression" or len(np.unique(y[~held_out])) > 1):
            yield held_out
            n_judged += int(held_out.sum())
        if n_judged >= _ENOUGH_JUDGED_ROWS:
            return


def _primary(task: TaskName, judged: _OutOfFold) -> float:
    if len(judged.y) == 0:
        return -np.inf
    score = primary_score(task, judged.y, judged.scores)
    return -np.inf if score is None else score


def _describe(settings: GroupSettings, task: TaskName) -> str:
    if not settings.hyperparameters:
        return settings.algorithm
    rate = effective_hyperparameters(settings, task).get("learning_rate")
    return f"{settings.algorithm}, learning rate {rate}" if rate else settings.algorithm
