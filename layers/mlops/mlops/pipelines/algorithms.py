"""The algorithms that can be trained. Adding one is adding one entry to `ALGORITHMS`.

Nothing here imports scikit-learn or XGBoost until an estimator is made, so that a Lambda without them can
check a team's settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from mlops.errors import SettingsError
from mlops.models.group_settings import AUTOMATIC, GroupSettings, TaskName, nearest


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

    For classes the linear ones are all a logistic regression. `aliases` are further names, as those of
    scikit-learn's classes. `needs_scaling` asks for columns of equal spread; `accepts_missing` says that
    missing numbers may reach the estimator; `package` is the distribution that must be installed.
    """

    name: str
    classification: EstimatorSpec
    regression: EstimatorSpec
    aliases: tuple[str, ...] = ()
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


_WEIGHTS = frozenset({"class_weight"})
_FOREST = frozenset(
    (
        *("n_estimators", "max_depth", "max_leaf_nodes", "min_samples_split", "min_samples_leaf"),
        *("max_features", "max_samples", "bootstrap", "criterion", "min_impurity_decrease", "ccp_alpha"),
    )
)
_XGBOOST = frozenset(
    (
        *("n_estimators", "learning_rate", "max_depth", "max_leaves", "grow_policy", "max_bin", "gamma"),
        *("subsample", "colsample_bytree", "colsample_bylevel", "min_child_weight", "max_delta_step"),
        *("reg_alpha", "reg_lambda"),
    )
)
_HISTOGRAM_BOOSTING = frozenset(
    (
        *("learning_rate", "max_iter", "max_leaf_nodes", "max_depth", "min_samples_leaf", "max_features"),
        *(
            "l2_regularization",
            "max_bins",
            "early_stopping",
            "validation_fraction",
            "n_iter_no_change",
            "tol",
        ),
    )
)
_LOGISTIC = frozenset({"C", "max_iter", "tol", "fit_intercept", "solver", "l1_ratio"})
_RIDGE = frozenset({"alpha", "max_iter", "tol", "fit_intercept", "solver"})

# Chosen by cross-validation on the training rows of five medical and weather tables of 1,700 to 16,000 rows.
# Slower and more bounded than the libraries' own defaults: on weak signals, as in most tables about
# people, those lost up to 0.05 of ROC-AUC to a logistic regression.
_FOREST_DEFAULTS = {"n_estimators": 200, "min_samples_leaf": 5}
_FOREST_REGRESSION_DEFAULTS = {"n_estimators": 200, "min_samples_leaf": 15, "max_features": 0.33}
_XGBOOST_DEFAULTS = {
    "n_estimators": 300,
    "learning_rate": 0.03,
    "max_depth": 3,
    "min_child_weight": 5,
    "subsample": 0.7,
    "colsample_bytree": 0.4,
    "reg_lambda": 5.0,
}
_HISTOGRAM_BOOSTING_DEFAULTS = {
    "learning_rate": 0.04,
    "max_iter": 200,
    "max_leaf_nodes": 10,
    "min_samples_leaf": 40,
    "max_features": 0.3,
    "l2_regularization": 5.0,
    "early_stopping": False,  # its own validation rows would be other rows of the same persons
}

_LOGISTIC_REGRESSION = EstimatorSpec(
    "sklearn.linear_model:LogisticRegression", _LOGISTIC | _WEIGHTS, {"max_iter": 1000}
)
_RIDGE_REGRESSION = EstimatorSpec("sklearn.linear_model:Ridge", _RIDGE)


def _forest(family: str, classification: Mapping[str, Any], regression: Mapping[str, Any]) -> Algorithm:
    path = f"sklearn.ensemble:{family}"
    return Algorithm(
        family,
        EstimatorSpec(f"{path}Classifier", _FOREST | _WEIGHTS, classification, is_parallel=True),
        EstimatorSpec(f"{path}Regressor", _FOREST, regression, is_parallel=True),
        aliases=(f"{family}Classifier", f"{family}Regressor"),
    )


def _linear(name: str, regression: EstimatorSpec) -> Algorithm:
    return Algorithm(name, _LOGISTIC_REGRESSION, regression, needs_scaling=True)


_ENTRIES = (
    _forest("RandomForest", _FOREST_DEFAULTS, _FOREST_REGRESSION_DEFAULTS),
    Algorithm(
        "XGBoost",
        EstimatorSpec(
            "xgboost:XGBClassifier",
            _XGBOOST | _WEIGHTS,
            _XGBOOST_DEFAULTS,
            {"tree_method": "hist"},
            is_parallel=True,
        ),
        EstimatorSpec(
            "xgboost:XGBRegressor", _XGBOOST, _XGBOOST_DEFAULTS, {"tree_method": "hist"}, is_parallel=True
        ),
        aliases=("XGBClassifier", "XGBRegressor"),
        accepts_missing=True,
        package="xgboost",
    ),
    _linear("LogisticRegression", _RIDGE_REGRESSION),
    Algorithm(
        "HistGradientBoosting",
        EstimatorSpec(
            "sklearn.ensemble:HistGradientBoostingClassifier",
            _HISTOGRAM_BOOSTING | _WEIGHTS,
            _HISTOGRAM_BOOSTING_DEFAULTS,
        ),
        EstimatorSpec(
            "sklearn.ensemble:HistGradientBoostingRegressor",
            _HISTOGRAM_BOOSTING | {"loss", "quantile"},
            _HISTOGRAM_BOOSTING_DEFAULTS,
        ),
        aliases=("HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "GradientBoosting"),
        accepts_missing=True,
    ),
    _forest("ExtraTrees", _FOREST_DEFAULTS, _FOREST_REGRESSION_DEFAULTS),
    _linear("Ridge", _RIDGE_REGRESSION),
    _linear(
        "LinearRegression",
        EstimatorSpec(
            "sklearn.linear_model:LinearRegression", frozenset({"fit_intercept", "positive"}), is_seeded=False
        ),
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
_BY_NAME = {name: entry for entry in _ENTRIES for name in (entry.name, *entry.aliases)}

# what a boosted contender has for signals that are strong or rows that are many
_QUICK_BOOSTING = {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20}


def algorithm(name: str) -> Algorithm:
    """Return the algorithm of that name or alias.

    Raises
    ------
    SettingsError
        If there is none; the nearest known name is given.
    """
    if name not in _BY_NAME:
        raise SettingsError(f"Unknown algorithm {name!r}. {nearest(name, [AUTOMATIC, *ALGORITHMS])}")
    return _BY_NAME[name]


def candidates(settings: GroupSettings, task: TaskName | None = None) -> tuple[GroupSettings, ...]:
    """Return the settings to choose from: the given ones, or for `auto` a linear model and two boosted ones.

    `class_weight` goes with every one of them. Any other hyperparameter names an algorithm by itself: the
    first one that knows all of them.

    Raises
    ------
    SettingsError
        If no algorithm knows all the hyperparameters.
    """
    if settings.algorithm != AUTOMATIC:
        return (settings,)
    own = settings.hyperparameters
    if set(own) <= _WEIGHTS:
        linear = replace(settings, algorithm="Ridge" if task == "regression" else "LogisticRegression")
        boosted = replace(settings, algorithm="HistGradientBoosting")
        return (linear, boosted, replace(boosted, hyperparameters={**_QUICK_BOOSTING, **own}))
    for entry in _ENTRIES:
        if set(own) <= entry.hyperparameters:
            return (replace(settings, algorithm=entry.name),)
    known = frozenset().union(*(entry.hyperparameters for entry in _ENTRIES))
    unknown = [name for name in own if name not in known]
    if unknown:
        raise SettingsError(f"No algorithm has a hyperparameter {unknown[0]!r}. {nearest(unknown[0], known)}")
    raise SettingsError(f"No algorithm has all of {', '.join(own)}; name the algorithm that is meant.")


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
