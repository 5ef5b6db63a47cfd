"""The algorithm of a team's settings, and its estimator.

Nothing here imports scikit-learn or XGBoost until an estimator is made, so that a Lambda without them can
check a team's settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.algorithms.accepted_combinations import combination_problem, rows_problem
from mlops.algorithms.accepted_values import value_problem
from mlops.algorithms.contenders import EARLY_STOPPING, candidates
from mlops.algorithms.definitions import (
    ALGORITHMS,
    BY_NAME,
    ENTRIES,
    MAX_VALUE,
    MAX_VALUES,
    Algorithm,
    EstimatorSpec,
)
from mlops.infrastructure.extras import require_package
from mlops.models.errors import SettingsError
from mlops.models.settings.group import AUTOMATIC, GroupSettings, TaskName
from mlops.models.settings.nearest import nearest

# scikit-learn replaces the values of leaves by quantiles when a tree has been grown: measured, predictions
# that fell by up to 0.25 of the target's unit where they should rise
_LOSSES_OF_QUANTILES = ("absolute_error", "quantile")


@dataclass(frozen=True, slots=True)
class ConfiguredEstimator:
    """An unfitted estimator with its algorithm, and all hyperparameters that count: set or by default."""

    algorithm: Algorithm
    hyperparameters: Mapping[str, Any]
    estimator: Any


def algorithm(name: str) -> Algorithm:
    """Return the algorithm of that name or alias.

    Raises
    ------
    SettingsError
        If there is none; the nearest known name is given.
    """
    if name not in BY_NAME:
        raise SettingsError(f"Unknown algorithm {name!r}. {nearest(name, [AUTOMATIC, *ALGORITHMS])}")
    return BY_NAME[name]


def check_settings(settings: GroupSettings, task: TaskName | None = None) -> None:
    """Refuse an unknown algorithm or hyperparameter before anything is started.

    Without `task` (or `settings.task`) a hyperparameter passes when any task knows it.

    Raises
    ------
    SettingsError
        If a name is unknown; the nearest known one is given.
    """
    known_task = task or settings.task
    for candidate in candidates(settings, known_task):
        chosen = algorithm(candidate.algorithm)
        names = chosen.spec(known_task).hyperparameters if known_task else chosen.hyperparameters
        for name in (*settings.hyperparameters, *(settings.search.space if settings.search else ())):
            if name not in names:
                for_task = f" for a {known_task} task" if name in chosen.hyperparameters else ""
                raise SettingsError(
                    f"{chosen.name} has no hyperparameter {name!r}{for_task}. {nearest(name, names)}"
                )
        if settings.monotonic:
            _check_directions(chosen, known_task, settings)
        if known_task:
            _check_accepted(chosen.spec(known_task), known_task, settings)
        if settings.search and known_task:
            search_space(candidate, known_task, settings.hyperparameters)
    _check_values(settings)


def too_many_rows(settings: GroupSettings, task: TaskName, n_rows: int) -> str | None:
    """Say which hyperparameter of the settings needs more rows than the `n_rows` of a fit; None for none."""
    tried = settings.search.space if settings.search else {}
    for candidate in candidates(settings, task):
        spec = algorithm(candidate.algorithm).spec(task)
        if problem := rows_problem(spec, settings.hyperparameters, tried, n_rows):
            return problem
    return None


def _check_directions(chosen: Algorithm, task: TaskName | None, settings: GroupSettings) -> None:
    """Refuse `[monotonic]` where no estimator obeys it."""
    if chosen.directions is None:
        able = " or ".join(entry.name for entry in ENTRIES if entry.directions)
        raise SettingsError(
            f"[monotonic] is obeyed by {able}, not by {chosen.name}: set one of them, or remove the table."
        )
    if task == "multiclass":
        raise SettingsError(
            "[monotonic] is for a target of two classes or of numbers, not for one of several classes."
        )
    tried = settings.search.space if settings.search else {}
    for loss in (settings.hyperparameters.get("loss"), *tried.get("loss", ())):
        if loss in _LOSSES_OF_QUANTILES:
            raise SettingsError(f'loss = "{loss}" does not obey [monotonic]: remove one of them.')


def _check_accepted(spec: EstimatorSpec, task: TaskName, settings: GroupSettings) -> None:
    """Refuse values, and combinations of them, that the estimator would refuse when it is fitted."""
    tried = settings.search.space if settings.search else {}
    values = [*settings.hyperparameters.items(), *((name, value) for name in tried for value in tried[name])]
    for name, value in values:
        if problem := value_problem(spec, name, value):
            raise SettingsError(f"The hyperparameter {problem}")
    if problem := combination_problem(spec, task, settings.hyperparameters, tried):
        raise SettingsError(f"In [hyperparameters], {problem}.")


def _check_values(settings: GroupSettings) -> None:
    for name, value in settings.hyperparameters.items():
        if isinstance(value, (list, dict)) and name != "class_weight":
            raise SettingsError(
                f"The hyperparameter {name} must be a single value, not {value!r}; "
                "what is to be tried belongs under [search.space]."
            )
        if settings.search and name in settings.search.space:
            raise SettingsError(f"{name} is in both hyperparameters and search.space; take one out.")
        _check_size(name, value)
    for name, values in settings.search.space.items() if settings.search else ():
        for value in values:
            _check_size(f"search.space.{name}", value)


def _check_size(name: str, value: Any) -> None:
    """Refuse a number that no machine could train with."""
    limit = MAX_VALUES.get(name.removeprefix("search.space."), MAX_VALUE)
    if isinstance(value, (int, float)) and not abs(value) <= limit:
        raise SettingsError(f"{name} must be at most {limit:,}, not {value!r}.")


def search_space(
    settings: GroupSettings, task: TaskName, fixed: Collection[str]
) -> dict[str, tuple[Any, ...]]:
    """Return what a search looks through: the team's ranges, else the algorithm's but for what is fixed.

    Raises
    ------
    SettingsError
        If the algorithm has nothing to search for.
    """
    if settings.search and settings.search.space:
        return dict(settings.search.space)
    space = algorithm(settings.algorithm).spec(task).space
    free = {name: values for name, values in space.items() if name not in fixed}
    if not free:
        raise SettingsError(
            f"{settings.algorithm} leaves nothing to search for; take [search] out, or set another algorithm."
        )
    return free


def effective_hyperparameters(settings: GroupSettings, task: TaskName) -> dict[str, Any]:
    """Return our defaults overlaid with what the team set."""
    return {**algorithm(settings.algorithm).spec(task).defaults, **settings.hyperparameters}


def configure(settings: GroupSettings, task: TaskName) -> ConfiguredEstimator:
    """Return the unfitted estimator of the settings.

    `class_weight` is not among its arguments: it is applied as row weights, in the same way for every
    algorithm. Nor is early stopping: only a fit that has rows to judge by can stop.

    Raises
    ------
    MissingPackageError
        If the library of the algorithm is not installed.
    """
    chosen = algorithm(settings.algorithm)
    require_package(chosen.package)
    spec = chosen.spec(task)
    hyperparameters = {**spec.defaults, **settings.hyperparameters}
    arguments = {**spec.fixed, **hyperparameters}
    arguments.pop("class_weight", None)
    arguments.pop(EARLY_STOPPING, None)
    if spec.is_seeded:
        arguments["random_state"] = settings.seed
    if spec.is_parallel:
        arguments["n_jobs"] = 1
    module, _, name = spec.path.partition(":")
    estimator = getattr(importlib.import_module(module), name)(**arguments)
    return ConfiguredEstimator(chosen, hyperparameters, estimator)
