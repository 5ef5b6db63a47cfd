"""What is judged on the training rows and chosen from, where a team leaves algorithm or hyperparameters open.

No single choice is good on weak linear signals and on strong ones of many columns, so each algorithm has
bounded defaults and others for strong signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlops.algorithms.definitions import BY_NAME, ENTRIES, WEIGHTS
from mlops.infrastructure.extras import is_installed
from mlops.models.errors import SettingsError
from mlops.models.settings.group import AUTOMATIC, GroupSettings, TaskName
from mlops.models.settings.nearest import nearest

type Hyperparameters = Mapping[str, Any]

# set by contenders alone: with it `n_estimators` is the most, and the number is chosen out of fold
EARLY_STOPPING = "early_stopping_rounds"
_BOOSTING, _BOOSTING_WITHOUT_EXTRAS = "XGBoost", "HistGradientBoosting"

# The rounds of XGBoost are chosen out of fold: few on weak signals, several hundred on strong ones (prices).
# Shallow and bounded trees are better on weak signals, as in most tables about people, deep ones on strong.
# On few rows of many columns most of the time is spent on bins: 64 instead of 256 took 2.4 s instead of 8.1
# for 150 deep rounds on 600 rows of 500 columns, with equal scores there, on concrete and on computer prices.
_SHALLOW = {
    "n_estimators": 500,
    EARLY_STOPPING: 20,
    "learning_rate": 0.1,
    "max_bin": 64,
    "max_depth": 3,
    "min_child_weight": 5,
    "subsample": 0.7,
    "colsample_bylevel": 0.6,
    "reg_lambda": 5.0,
}
_DEEP = {**_SHALLOW, "max_depth": 6, "min_child_weight": 1, "subsample": 0.8, "reg_lambda": 1.0}
# the libraries' own defaults
_PLAIN_BOOSTING = {
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "max_features": 1.0,
    "l2_regularization": 0.0,
}
_DEEP_FOREST = {"min_samples_leaf": 1}
# with a third of the columns at each split, as on weak signals, R2 of rented bikes was 0.88 and not 0.93
_DEEP_FOREST_OF_NUMBERS = {"n_estimators": 100, "min_samples_leaf": 1, "max_features": 1.0}

_ALTERNATIVES: Mapping[str, tuple[Hyperparameters, ...]] = {
    "XGBoost": (_SHALLOW, _DEEP),
    "HistGradientBoosting": ({}, _PLAIN_BOOSTING),
    "RandomForest": ({}, _DEEP_FOREST),
    "ExtraTrees": ({}, _DEEP_FOREST),
}
_ALTERNATIVES_OF_NUMBERS: Mapping[str, tuple[Hyperparameters, ...]] = {
    **_ALTERNATIVES,
    "RandomForest": ({}, _DEEP_FOREST_OF_NUMBERS),
    "ExtraTrees": ({}, _DEEP_FOREST_OF_NUMBERS),
}


def candidates(settings: GroupSettings, task: TaskName | None = None) -> tuple[GroupSettings, ...]:
    """Return the settings to choose from, the simplest first.

    For `auto` those of a linear model and of boosted ones, with `[monotonic]` only these; for an algorithm
    without hyperparameters and without a search its defaults for weak and for strong signals. `class_weight`
    is kept in every one of them. Any other hyperparameter, set or searched for, leaves one choice: without
    an algorithm the first that knows all.

    Raises
    ------
    SettingsError
        If no algorithm knows all the hyperparameters.
    """
    return _candidates(settings, task, _BOOSTING)


def installed_candidates(settings: GroupSettings, task: TaskName) -> tuple[GroupSettings, ...]:
    """Return `candidates` as they can be fitted here: `auto` takes scikit-learn's boosting without XGBoost.

    Raises
    ------
    SettingsError
        If no algorithm knows all the hyperparameters.
    """
    is_complete = is_installed(BY_NAME[_BOOSTING].package)
    return _candidates(settings, task, _BOOSTING if is_complete else _BOOSTING_WITHOUT_EXTRAS)


def boosted_contender(settings: GroupSettings, task: TaskName) -> GroupSettings:
    """Return a boosted contender of `auto` for weak signals, whatever algorithm the settings name."""
    is_open = replace(settings, algorithm=AUTOMATIC, hyperparameters={}, search=None)
    return next(
        one for one in installed_candidates(is_open, task) if one.hyperparameters or settings.monotonic
    )


def _candidates(settings: GroupSettings, task: TaskName | None, boosting: str) -> tuple[GroupSettings, ...]:
    own = {**settings.hyperparameters, **(settings.search.space if settings.search else {})}
    is_open = set(own) <= WEIGHTS
    if settings.algorithm != AUTOMATIC:
        return _alternatives(settings, task) if is_open and settings.search is None else (settings,)
    if not is_open:
        return (replace(settings, algorithm=_first_that_knows(own, has_directions=bool(settings.monotonic))),)
    boosted = _alternatives(replace(settings, algorithm=boosting), task)
    if settings.monotonic:
        return boosted
    return (replace(settings, algorithm="Ridge" if task == "regression" else "LogisticRegression"), *boosted)


def _alternatives(settings: GroupSettings, task: TaskName | None) -> tuple[GroupSettings, ...]:
    """Return the settings with each set of defaults of their algorithm."""
    entry = BY_NAME.get(settings.algorithm)
    alternatives = _ALTERNATIVES_OF_NUMBERS if task == "regression" else _ALTERNATIVES
    defaults = alternatives.get(entry.name, ({},)) if entry else ({},)
    return tuple(replace(settings, hyperparameters={**one, **settings.hyperparameters}) for one in defaults)


def _first_that_knows(own: Hyperparameters, *, has_directions: bool) -> str:
    for entry in ENTRIES:
        if set(own) <= entry.hyperparameters and (entry.directions or not has_directions):
            return entry.name
    names = frozenset().union(*(entry.hyperparameters for entry in ENTRIES))
    unknown = [name for name in own if name not in names]
    if unknown:
        raise SettingsError(f"No algorithm has a hyperparameter {unknown[0]!r}. {nearest(unknown[0], names)}")
    raise SettingsError(f"No algorithm has all of {', '.join(own)}; name the algorithm that is meant.")
