"""Choosing and fitting a model on the training rows alone: algorithm, hyperparameters, outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mlops.algorithms.selection import ConfiguredEstimator, candidates, effective_hyperparameters
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.training import Trial
from mlops.pipelines.artifacts.model import FeatureColumn, Model, Scores, with_compiled_form
from mlops.pipelines.evaluation.scores import primary_score
from mlops.pipelines.features.splitting import N_FOLDS
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.fitting import fit_pipeline
from mlops.pipelines.fitting.out_of_fold import OutOfFold
from mlops.pipelines.fitting.outputs import fit_outputs
from mlops.pipelines.fitting.searching import Search, search_hyperparameters
from mlops.pipelines.fitting.trials import TriedElsewhere, take_best

# out of fold: on 4,000 rows scores spread by about 0.01, and more folds cost more than they tell
_ENOUGH_JUDGED_ROWS = 4_000
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model, the settings with which it was fitted, and how it came to be taken.

    `contenders` are the primary scores out of fold of those it was chosen from, `trials` what a search tried;
    `warnings` are the words of the libraries, `notes` ours.
    """

    model: Model
    configured: ConfiguredEstimator
    settings: GroupSettings
    contenders: Mapping[str, float]
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fit_model(rows: TrainingRows, tried: TriedElsewhere | None = None) -> FittedModel:
    """Choose the algorithm out of fold, fit it to all training rows, and what is made of its outputs.

    What a tuning job has tried takes the place of a search.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value.
    """
    train, features, task = rows.split.train, rows.selection.features, rows.problem.task
    aligned, y = rows.aligned[train], rows.problem.y[train]
    folds = rows.split.folds[train]
    best = take_best(rows, tried) if tried else Search(rows.settings, ())
    choice = choose(aligned, y, folds, features, best.settings, task)
    fit = fit_pipeline(aligned, y, features, choice.settings, task, folds=folds)
    outputs = fit_outputs(task, choice.judged, rows.settings)
    model = with_compiled_form(Model(outputs.complete(rows.schema(None)), fit.pipeline), rows.aligned)
    return FittedModel(
        model,
        fit.configured,
        choice.settings,
        choice.contenders,
        best.trials or choice.trials,
        fit.warnings,
        (*(tried.notes if tried else ()), *outputs.notes),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What to train: settings with an algorithm, how it was chosen, and what it predicts out of fold.

    `contenders` are primary scores out of fold by algorithm, `trials` what a search tried; both are empty
    where nothing was to be chosen.
    """

    settings: GroupSettings
    judged: OutOfFold | None = None
    contenders: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sample:
    """The training rows that are looked at: in the model's form, with their truth and their folds."""

    aligned: pd.DataFrame
    y: np.ndarray
    folds: np.ndarray
    features: tuple[FeatureColumn, ...]
    task: TaskName

    def out_of_fold(self, settings: GroupSettings) -> OutOfFold:
        """Judge as many of the folds as are enough, each by a model that has not seen it."""
        n_labels = 0 if self.task == "regression" else int(self.y.max()) + 1
        masks = list(_held_out(self.y, self.folds, self.task))
        predictions = [self._predictions(held_out, settings, n_labels) for held_out in masks]
        truth = np.concatenate([self.y[:0], *(self.y[held_out] for held_out in masks)])
        if self.task == "regression":
            return OutOfFold(truth, Scores(np.concatenate([np.zeros(0), *predictions])))
        probabilities = np.concatenate([np.zeros((0, n_labels)), *predictions])
        return OutOfFold(truth, Scores(probabilities.argmax(axis=1), probabilities))

    def _predictions(self, held_out: np.ndarray, settings: GroupSettings, n_labels: int) -> np.ndarray:
        """Return numbers, or a probability per label, of the rows held out."""
        kept = ~held_out
        pipeline = fit_pipeline(
            self.aligned[kept], self.y[kept], self.features, settings, self.task, folds=self.folds[kept]
        ).pipeline
        if self.task == "regression":
            return np.asarray(pipeline.predict(self.aligned[held_out]), dtype=np.float64)
        predictions = np.zeros((int(held_out.sum()), n_labels))
        predictions[:, pipeline.classes_] = pipeline.predict_proba(self.aligned[held_out])
        return predictions


def choose(
    aligned: pd.DataFrame,
    y: np.ndarray,
    folds: np.ndarray,
    features: tuple[FeatureColumn, ...],
    settings: GroupSettings,
    task: TaskName,
) -> Choice:
    """Choose algorithm and hyperparameters by what models say of training rows they have not seen.

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
    rows = np.sort(np.random.default_rng(settings.seed).permutation(len(y))[:MAX_ROWS])
    sample = _Sample(aligned.iloc[rows], y[rows], folds[rows], features, task)
    best = _best_contender(sample, contenders)
    if settings.search is not None:
        best = _searched(sample, best, fixed=settings.hyperparameters)
    return replace(best, judged=best.judged or sample.out_of_fold(best.settings))


def _best_contender(sample: _Sample, contenders: Sequence[GroupSettings]) -> Choice:
    """Take the contender of the best score; one alone is not judged."""
    if len(contenders) == 1:
        return Choice(contenders[0])
    all_judged = [sample.out_of_fold(one) for one in contenders]
    scores = [_primary(sample.task, one) for one in all_judged]
    best = int(np.argmax(scores))
    names = [_describe(one, sample.task) for one in contenders]
    shown = {name: score for name, score in zip(names, scores, strict=True) if np.isfinite(score)}
    return Choice(contenders[best], all_judged[best], shown)


def _searched(sample: _Sample, best: Choice, *, fixed: Collection[str]) -> Choice:
    """Look for the hyperparameters of the one taken; its predictions do not hold for the result."""
    search = search_hyperparameters(
        sample.aligned,
        sample.y,
        sample.folds,
        sample.features,
        best.settings,
        sample.task,
        fixed=fixed,
    )
    return replace(best, settings=search.settings, trials=search.trials, judged=None)


def _held_out(y: np.ndarray, folds: np.ndarray, task: TaskName) -> Iterator[np.ndarray]:
    n_judged = 0
    for fold in range(N_FOLDS):
        held_out = folds == fold
        if held_out.any() and (task == "regression" or len(np.unique(y[~held_out])) > 1):
            yield held_out
            n_judged += int(held_out.sum())
        if n_judged >= _ENOUGH_JUDGED_ROWS:
            return


def _primary(task: TaskName, judged: OutOfFold) -> float:
    if len(judged.y) == 0:
        return -np.inf
    score = primary_score(task, judged.y, judged.scores)
    return -np.inf if score is None else score


def _describe(settings: GroupSettings, task: TaskName) -> str:
    if not settings.hyperparameters:
        return settings.algorithm
    rate = effective_hyperparameters(settings, task).get("learning_rate")
    return f"{settings.algorithm}, learning rate {rate}" if rate else settings.algorithm
