"""The table of algorithms that can be trained. Adding one is adding one entry.

Nothing here imports scikit-learn or XGBoost, so that a Lambda without them can check a team's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mlops.models.settings.group import TaskName


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """One estimator class: where it is, which hyperparameters a team may set, and our defaults for them.

    `space` is what a search looks through, in the words of `search.space`: two numbers are a range, other
    lists are choices.
    """

    path: str
    hyperparameters: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    is_seeded: bool = True
    is_parallel: bool = False


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One choice of `algorithm`: its estimators and what they need of the preprocessing.

    For classes the linear ones are all a logistic regression. `aliases` are further names, as those of
    scikit-learn's classes. `needs_scaling` asks for columns of equal spread; `accepts_missing` says that
    missing numbers may reach the estimator; `directions` is the argument that takes 1 for a column whose
    larger values may only raise the prediction, -1 for the opposite and 0 for neither; `package` is the
    distribution that must be installed.
    """

    name: str
    classification: EstimatorSpec
    regression: EstimatorSpec
    aliases: tuple[str, ...] = ()
    needs_scaling: bool = False
    accepts_missing: bool = False
    directions: str | None = None
    package: str = "scikit-learn"

    def spec(self, task: TaskName) -> EstimatorSpec:
        """Return the estimator for the task."""
        return self.regression if task == "regression" else self.classification

    @property
    def hyperparameters(self) -> frozenset[str]:
        """Every hyperparameter that some task knows."""
        return self.classification.hyperparameters | self.regression.hyperparameters


# The largest value of a hyperparameter: beyond it a training takes days, or more memory than a machine has.
MAX_VALUES: Mapping[str, float] = {
    "n_estimators": 10_000,
    "max_iter": 100_000,
    "max_depth": 1_000,
    "max_leaf_nodes": 100_000,
    "max_leaves": 100_000,
    "max_bin": 65_536,
    "max_bins": 255,
}
MAX_VALUE = 1e9

WEIGHTS = frozenset({"class_weight"})
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

# Chosen by cross-validation on the training rows of five medical and weather tables of 1,700 to 16,000 rows,
# and held against scikit-learn's bundled tables and made-up ones, so that none of them is given up.
# Slower and more bounded than the libraries' own defaults: on weak signals, as in most tables about
# people, those lost up to 0.05 of ROC-AUC to a logistic regression.
_FOREST_DEFAULTS = {"n_estimators": 200, "min_samples_leaf": 5}
_FOREST_REGRESSION_DEFAULTS = {"n_estimators": 200, "min_samples_leaf": 15, "max_features": 0.33}
# A forest of random cuts needs more columns to draw them from: with the root of their number, as is usual,
# the columns of categories crowd out the others.
_EXTRA_TREES_DEFAULTS = {**_FOREST_DEFAULTS, "max_features": 0.5}
_EXTRA_TREES_REGRESSION_DEFAULTS = {**_FOREST_REGRESSION_DEFAULTS, "max_features": 0.5}
_XGBOOST_DEFAULTS = {
    "n_estimators": 300,
    "learning_rate": 0.03,
    "max_depth": 3,
    "min_child_weight": 5,
    "subsample": 0.7,
    "colsample_bylevel": 0.6,  # by tree, an interaction of two columns among few was never found
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

_FOREST_SPACE = {"min_samples_leaf": (1, 50), "max_features": (0.1, 1.0), "max_depth": (4, 24)}
_XGBOOST_SPACE = {
    "n_estimators": (100, 600),
    "learning_rate": (0.01, 0.2),
    "max_depth": (2, 8),
    "min_child_weight": (1, 40),
    "subsample": (0.5, 1.0),
    "colsample_bytree": (0.2, 1.0),
    "reg_lambda": (0.1, 50.0),
}
_HISTOGRAM_BOOSTING_SPACE = {
    "learning_rate": (0.01, 0.2),
    "max_iter": (100, 400),
    "max_leaf_nodes": (4, 63),
    "min_samples_leaf": (5, 100),
    "max_features": (0.2, 1.0),
    "l2_regularization": (0.1, 50.0),
}

_LOGISTIC_REGRESSION = EstimatorSpec(
    "sklearn.linear_model:LogisticRegression",
    _LOGISTIC | WEIGHTS,
    {"max_iter": 1000},
    space={"C": (0.001, 100.0)},
)
_RIDGE_REGRESSION = EstimatorSpec("sklearn.linear_model:Ridge", _RIDGE, space={"alpha": (0.01, 10_000.0)})


def _forest(family: str, classification: Mapping[str, Any], regression: Mapping[str, Any]) -> Algorithm:
    path = f"sklearn.ensemble:{family}"
    return Algorithm(
        family,
        EstimatorSpec(
            f"{path}Classifier", _FOREST | WEIGHTS, classification, space=_FOREST_SPACE, is_parallel=True
        ),
        EstimatorSpec(f"{path}Regressor", _FOREST, regression, space=_FOREST_SPACE, is_parallel=True),
        aliases=(f"{family}Classifier", f"{family}Regressor"),
    )


def _linear(name: str, regression: EstimatorSpec) -> Algorithm:
    return Algorithm(name, _LOGISTIC_REGRESSION, regression, needs_scaling=True)


ENTRIES = (
    _forest("RandomForest", _FOREST_DEFAULTS, _FOREST_REGRESSION_DEFAULTS),
    Algorithm(
        "XGBoost",
        EstimatorSpec(
            "xgboost:XGBClassifier",
            _XGBOOST | WEIGHTS,
            _XGBOOST_DEFAULTS,
            {"tree_method": "hist"},
            _XGBOOST_SPACE,
            is_parallel=True,
        ),
        EstimatorSpec(
            "xgboost:XGBRegressor",
            _XGBOOST,
            _XGBOOST_DEFAULTS,
            {"tree_method": "hist"},
            _XGBOOST_SPACE,
            is_parallel=True,
        ),
        aliases=("XGBClassifier", "XGBRegressor"),
        accepts_missing=True,
        directions="monotone_constraints",
        package="xgboost",
    ),
    _linear("LogisticRegression", _RIDGE_REGRESSION),
    Algorithm(
        "HistGradientBoosting",
        EstimatorSpec(
            "sklearn.ensemble:HistGradientBoostingClassifier",
            _HISTOGRAM_BOOSTING | WEIGHTS,
            _HISTOGRAM_BOOSTING_DEFAULTS,
            space=_HISTOGRAM_BOOSTING_SPACE,
        ),
        EstimatorSpec(
            "sklearn.ensemble:HistGradientBoostingRegressor",
            _HISTOGRAM_BOOSTING | {"loss", "quantile"},
            _HISTOGRAM_BOOSTING_DEFAULTS,
            space=_HISTOGRAM_BOOSTING_SPACE,
        ),
        aliases=("HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "GradientBoosting"),
        accepts_missing=True,
        directions="monotonic_cst",
    ),
    _forest("ExtraTrees", _EXTRA_TREES_DEFAULTS, _EXTRA_TREES_REGRESSION_DEFAULTS),
    _linear("Ridge", _RIDGE_REGRESSION),
    _linear(
        "LinearRegression",
        EstimatorSpec(
            "sklearn.linear_model:LinearRegression", frozenset({"fit_intercept", "positive"}), is_seeded=False
        ),
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({entry.name: entry for entry in ENTRIES})
BY_NAME: Mapping[str, Algorithm] = {name: entry for entry in ENTRIES for name in (entry.name, *entry.aliases)}
