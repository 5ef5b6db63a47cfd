"""Choosing and fitting a model on the training rows alone: algorithm, hyperparameters, outputs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mlops.algorithms.contenders import EARLY_STOPPING, installed_candidates
from mlops.algorithms.selection import ConfiguredEstimator
from mlops.models.settings.group import GroupSettings
from mlops.models.training import Trial
from mlops.pipelines.artifacts.model import Model, with_compiled_form
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.fitting import fit_pipeline
from mlops.pipelines.fitting.out_of_fold import OutOfFold, Sample, training_sample
from mlops.pipelines.fitting.outputs import fit_outputs
from mlops.pipelines.fitting.race import Contender, race
from mlops.pipelines.fitting.searching import Search, search_hyperparameters
from mlops.pipelines.fitting.trials import TriedElsewhere, take_best

logger = logging.getLogger(__name__)

# the hyperparameters that distinguish the contenders of one algorithm
_DISTINGUISHING = ("max_depth", "learning_rate", "min_samples_leaf")


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model, the settings with which it was fitted, and how it came to be taken.

    `contenders` are the primary scores out of fold of those it was chosen from, `trials` what a search tried;
    `warnings` are the words of the libraries, `notes` ours. `n_rounds` is that of `Choice`.
    """

    model: Model
    configured: ConfiguredEstimator
    settings: GroupSettings
    contenders: Mapping[str, float]
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    n_rounds: int | None = None


def fit_model(rows: TrainingRows, tried: TriedElsewhere | None = None) -> FittedModel:
    """Choose the algorithm out of fold, fit it to all training rows, and what is made of its outputs.

    What a tuning job has tried takes the place of a search.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value.
    """
    train, features, task = rows.split.train, rows.selection.features, rows.problem.task
    best = take_best(rows, tried) if tried else Search(rows.settings, ())
    choice = choose(training_sample(rows), best.settings)
    aligned = rows.aligned[train]
    fit = fit_pipeline(
        aligned,
        rows.problem.y[train],
        features,
        choice.settings,
        task,
        folds=rows.split.folds[train],
        n_rounds=choice.n_rounds,
    )
    outputs = fit_outputs(task, choice.judged, rows.settings)
    fitted = Model(outputs.complete(rows.schema(None)), fit.pipeline)
    model = with_compiled_form(fitted, rows.aligned, aligned)
    return FittedModel(
        model,
        fit.configured,
        choice.settings,
        choice.contenders,
        best.trials or choice.trials,
        fit.warnings,
        (*(tried.notes if tried else ()), *outputs.notes),
        choice.n_rounds,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What to train: settings with an algorithm, how it was chosen, and what it predicts out of fold.

    `n_rounds` of boosting take the place of the most that the settings allow. `contenders` are primary scores
    out of fold by algorithm, `trials` what a search tried; both are empty where nothing was to be chosen.
    """

    settings: GroupSettings
    judged: OutOfFold | None = None
    n_rounds: int | None = None
    contenders: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()


def choose(sample: Sample, settings: GroupSettings) -> Choice:
    """Choose algorithm and hyperparameters by what models say of training rows that they have not seen.

    The contender of the best primary score out of fold is taken, the simplest at a draw; a search then looks
    for its hyperparameters.

    Parameters
    ----------
    sample
        The training rows that are looked at.
    settings
        Those of the group; the algorithm may be `auto`.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value.
    """
    contenders = installed_candidates(settings, sample.task)
    choice = Choice(contenders[0])
    if len(contenders) > 1:
        logger.info("Compare %d algorithms", len(contenders))
        choice = _best_contender(race(sample, contenders))
    if settings.search is not None:
        logger.info("Search the hyperparameters of %s", choice.settings.algorithm)
        choice = _searched(sample, choice, fixed=settings.hyperparameters)
    if choice.judged is not None:
        return choice
    (only,) = race(sample, (choice.settings,))
    return replace(choice, judged=only.judged, n_rounds=only.n_rounds)


def _best_contender(ranked: Sequence[Contender]) -> Choice:
    """Take the first one, and list the scores of all."""
    best = ranked[0]
    scores = {_describe(one, best): one.score for one in ranked if np.isfinite(one.score)}
    return Choice(best.settings, best.judged, best.n_rounds, scores)


def _searched(sample: Sample, choice: Choice, *, fixed: Collection[str]) -> Choice:
    """Look for the hyperparameters of the one taken; its predictions do not hold for the result."""
    settings = with_fixed_rounds(choice.settings, choice.n_rounds)
    search = search_hyperparameters(sample, settings, fixed=fixed)
    return replace(choice, settings=search.settings, trials=search.trials, judged=None, n_rounds=None)


def with_fixed_rounds(settings: GroupSettings, n_rounds: int | None) -> GroupSettings:
    """Return the settings with the chosen number of rounds, None for none: then nothing stops early."""
    if n_rounds is None:
        return settings
    hyperparameters = {**settings.hyperparameters, "n_estimators": n_rounds}
    del hyperparameters[EARLY_STOPPING]
    return replace(settings, hyperparameters=hyperparameters)


def _describe(contender: Contender, best: Contender) -> str:
    """Return the algorithm, what distinguishes its contenders, and the rows it was judged on if fewer."""
    settings, n_rounds, n_rows = contender.settings, contender.n_rounds, len(contender.judged.y)
    named = next((name for name in _DISTINGUISHING if name in settings.hyperparameters), None)
    details = [f"{named} {settings.hyperparameters[named]}"] if named else []
    details += [f"{n_rounds} rounds"] if n_rounds is not None else []
    details += [f"on {n_rows:,} rows"] if n_rows < len(best.judged.y) else []
    return ", ".join([settings.algorithm, *details])
