"""The model that a training's rows ask for: chosen and fitted on the training part alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.models.settings.group import GroupSettings
from mlops.models.training import Trial
from mlops.pipelines.artifacts.model import Model
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.choosing import N_FOLDS, choose
from mlops.pipelines.fitting.fitting import fit_pipeline
from mlops.pipelines.fitting.searching import Search
from mlops.pipelines.fitting.trials import TriedElsewhere, take_best


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model, the settings with which it was fitted, and how it came to be taken.

    `contenders` are the primary scores out of fold of those it was chosen from, `trials` what a search tried;
    `warnings` are the words of the libraries, `notes` ours.
    """

    model: Model
    settings: GroupSettings
    contenders: Mapping[str, float]
    trials: tuple[Trial, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fit_model(rows: TrainingRows, tried: TriedElsewhere | None = None) -> FittedModel:
    """Choose algorithm and threshold out of fold, then fit to all training rows.

    What a tuning job has tried takes the place of a search.

    Raises
    ------
    TrainingError
        If a hyperparameter has an impossible value.
    """
    train, features, task = rows.split.train, rows.selection.features, rows.problem.task
    aligned, y = rows.aligned[train], rows.problem.y[train]
    folds = rows.folds(N_FOLDS)
    best = take_best(rows, tried) if tried else Search(rows.settings, ())
    choice = choose(aligned, y, folds, features, best.settings, task)
    fit = fit_pipeline(aligned, y, features, choice.settings, task, folds=folds)
    model = Model(rows.schema(choice.threshold), fit.pipeline)
    trials, notes = best.trials or choice.trials, tried.notes if tried else ()
    return FittedModel(model, choice.settings, choice.contenders, trials, fit.warnings, notes)
