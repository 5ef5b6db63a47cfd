"""The algorithms that can be trained. Adding one is adding one entry to `ALGORITHMS`.

Nothing here imports scikit-learn or XGBoost until an estimator is made, so that a Lambda without them can
check a team's settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mlops.errors import SettingsError
from mlops.models.group_settings import GroupSettings, TaskName, nearest


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """One estimator class: where it is, which hyperparameters a team may set, and our defaults for them."""

    path: str
    hyperparameters: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    is_seeded: bool = True
    is_parallel: bool = False


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One choice of `algorithm`: its estimators and what they need of the preprocessing.

    `needs_scaling` asks for columns of equal spread; `accepts_missing` says that missing numbers may reach
    the estimator; `package` is the distribution that must be installed.
    """

    name: str
    classification: EstimatorSpec
    regression: EstimatorSpec
    needs_scaling: bool = False
    accepts_missing: bool = False
    package: str = "scikit-learn"

    def spec(self, task: TaskName) -> EstimatorSpec:
        """Return the estimator for the task."""
        return self.regression if task == "regression" else self.classification

    @property
    def hyperparameters(self) -> frozenset[str]:
        """Every hyperparameter that some task knows."""
        return self.classification.hyperparameters | self.regression.hyperparameters


_FOREST = frozenset(
    (
        *("n_estimators", "max_depth", "max_leaf_nodes", "min_samples_split", "min_samples_leaf"),
        *("max_features", "max_samples", "bootstrap", "criterion", "min_impurity_decrease", "ccp_alpha"),
    )
)
_BOOSTING = frozenset(
    (
        *("n_estimators", "learning_rate", "max_depth", "max_leaves", "grow_policy", "max_bin", "gamma"),
        *("subsample", "colsample_bytree", "colsample_bylevel", "min_child_weight", "max_delta_step"),
        *("reg_alpha", "reg_lambda"),
    )
)
_FOREST_DEFAULTS = {"n_estimators": 200, "min_samples_leaf": 3}
_BOOSTING_DEFAULTS = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "max_depth": 4,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
}
_WEIGHTS = frozenset({"class_weight"})

_ENTRIES = (
    Algorithm(
        "RandomForest",
        EstimatorSpec(
            "sklearn.ensemble:RandomForestClassifier", _FOREST | _WEIGHTS, _FOREST_DEFAULTS, is_parallel=True
        ),
        EstimatorSpec(
            "sklearn.ensemble:RandomForestRegressor",
            _FOREST,
            {**_FOREST_DEFAULTS, "max_features": 0.5},
            is_parallel=True,
        ),
    ),
    Algorithm(
        "XGBoost",
        EstimatorSpec(
            "xgboost:XGBClassifier",
            _BOOSTING | _WEIGHTS,
            _BOOSTING_DEFAULTS,
            {"tree_method": "hist"},
            is_parallel=True,
        ),
        EstimatorSpec(
            "xgboost:XGBRegressor", _BOOSTING, _BOOSTING_DEFAULTS, {"tree_method": "hist"}, is_parallel=True
        ),
        accepts_missing=True,
        package="xgboost",
    ),
    Algorithm(
        "LogisticRegression",
        EstimatorSpec(
            "sklearn.linear_model:LogisticRegression",
            frozenset({"C", "max_iter", "tol", "fit_intercept", "solver", "l1_ratio"}) | _WEIGHTS,
            {"max_iter": 1000},
        ),
        EstimatorSpec(
            "sklearn.linear_model:Ridge", frozenset({"alpha", "max_iter", "tol", "fit_intercept", "solver"})
        ),
        needs_scaling=True,
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def algorithm(name: str) -> Algorithm:
    """Return the algorithm of that name.

    Raises
    ------
    SettingsError
        If there is none; the nearest known name is given.
    """
    if name not in ALGORITHMS:
        raise SettingsError(f"Unknown algorithm {name!r}. {nearest(name, ALGORITHMS)}")
    return ALGORITHMS[name]


def check_settings(settings: GroupSettings, task: TaskName | None = None) -> None:
    """Refuse an unknown algorithm or hyperparameter before anything is started.

    Without `task` (or `settings.task`) a hyperparameter passes when any task knows it.

    Raises
    ------
    SettingsError
        If a name is unknown; the nearest known one is given.
    """
    chosen = algorithm(settings.algorithm)
    known_task = task or settings.task
    known = chosen.spec(known_task).hyperparameters if known_task else chosen.hyperparameters
    for name, value in settings.hyperparameters.items():
        if name not in known:
            for_task = f" for a {known_task} task" if name in chosen.hyperparameters else ""
            raise SettingsError(
                f"{chosen.name} has no hyperparameter {name!r}{for_task}. {nearest(name, known)}"
            )
        if isinstance(value, (list, dict)) and name != "class_weight":
            raise SettingsError(f"The hyperparameter {name} must be a single value, not {value!r}.")


def effective_hyperparameters(settings: GroupSettings, task: TaskName) -> dict[str, Any]:
    """Return our defaults overlaid with what the team set."""
    return {**algorithm(settings.algorithm).spec(task).defaults, **settings.hyperparameters}


def make_estimator(settings: GroupSettings, task: TaskName, *, n_jobs: int = 1) -> Any:
    """Return the unfitted estimator that the settings ask for.

    `class_weight` is left out here: it is applied as row weights, the same way for every algorithm.
    """
    spec = algorithm(settings.algorithm).spec(task)
    arguments = {**spec.fixed, **effective_hyperparameters(settings, task)}
    arguments.pop("class_weight", None)
    if spec.is_seeded:
        arguments["random_state"] = settings.seed
    if spec.is_parallel:
        arguments["n_jobs"] = n_jobs
    module, _, name = spec.path.partition(":")
    return getattr(importlib.import_module(module), name)(**arguments)
