"""Which values the hyperparameters of each estimator take, so that intake can refuse the others.

The libraries check the same when they fit, in a job that is paid for. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from mlops.algorithms.definitions import EstimatorSpec

_ALTERNATIVES = " or "


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers from `low` to `high`; an open end is not part of it, and `is_whole` takes whole numbers only.

    `is_fraction` takes numbers only that are written with a decimal point: to scikit-learn 1 is a count and
    1.0 a share.
    """

    low: float
    high: float = inf
    has_low: bool = True
    has_high: bool = True
    is_whole: bool = False
    is_fraction: bool = False

    def takes(self, value: Any) -> bool:
        """Return whether the value is in the interval."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if (self.is_whole and not isinstance(value, int)) or (self.is_fraction and isinstance(value, int)):
            return False
        is_above = value > self.low or (self.has_low and value == self.low)
        return is_above and (value < self.high or (self.has_high and value == self.high))

    def __str__(self) -> str:
        """Say it in words."""
        kind = "a whole number" if self.is_whole else "a number"
        low = f"from {self.low:g}" if self.has_low else f"above {self.low:g}"
        if self.high == inf:
            return f"{kind} {low}"
        return f"{kind} {low} {'to' if self.has_high else 'and below'} {self.high:g}"


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words, or true and false."""

    words: tuple[str | bool, ...]

    def takes(self, value: Any) -> bool:
        """Return whether the value is one of the words."""
        return isinstance(value, (str, bool)) and value in self.words

    def __str__(self) -> str:
        """Say it in words."""
        words = [str(word).lower() if isinstance(word, bool) else f'"{word}"' for word in self.words]
        return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


type Accepted = tuple[Interval | Words, ...]

_COUNT = Interval(1, is_whole=True)
_FROM_TWO = Interval(2, is_whole=True)
_NOT_NEGATIVE = Interval(0)
_SHARE = Interval(0, 1, has_low=False)
_FRACTION = Interval(0, 1, has_low=False, is_fraction=True)
_PART = Interval(0, 1, has_low=False, has_high=False, is_fraction=True)
_TRUTH = Words((True, False))
_FOREST: Mapping[str, Accepted] = {
    "n_estimators": (_COUNT,),
    "max_depth": (_COUNT,),
    "max_leaf_nodes": (_FROM_TWO,),
    "min_samples_split": (_FROM_TWO, _FRACTION),
    "min_samples_leaf": (_COUNT, _PART),
    "max_features": (_COUNT, _FRACTION, Words(("sqrt", "log2"))),
    "max_samples": (_COUNT, _FRACTION),
    "bootstrap": (_TRUTH,),
    "min_impurity_decrease": (_NOT_NEGATIVE,),
    "ccp_alpha": (_NOT_NEGATIVE,),
}
_OF_CLASSES: Mapping[str, Accepted] = {"criterion": (Words(("gini", "entropy", "log_loss")),)}
_OF_NUMBERS: Mapping[str, Accepted] = {
    "criterion": (Words(("squared_error", "absolute_error", "friedman_mse", "poisson")),)
}
_HISTOGRAM_BOOSTING: Mapping[str, Accepted] = {
    "learning_rate": (Interval(0, has_low=False),),
    "max_iter": (_COUNT,),
    "max_leaf_nodes": (_FROM_TWO,),
    "max_depth": (_COUNT,),
    "min_samples_leaf": (_COUNT,),
    "max_features": (_FRACTION,),
    "l2_regularization": (_NOT_NEGATIVE,),
    "max_bins": (Interval(2, 255, is_whole=True),),
    "early_stopping": (_TRUTH, Words(("auto",))),
    "validation_fraction": (_PART, _COUNT),
    "n_iter_no_change": (_COUNT,),
    "tol": (_NOT_NEGATIVE,),
    "loss": (Words(("squared_error", "absolute_error", "poisson", "gamma", "quantile")),),
    "quantile": (Interval(0, 1),),
}
_XGBOOST: Mapping[str, Accepted] = {
    "n_estimators": (_COUNT,),
    "learning_rate": (_NOT_NEGATIVE,),
    "max_depth": (Interval(0, is_whole=True),),
    "max_leaves": (Interval(0, is_whole=True),),
    "grow_policy": (Words(("depthwise", "lossguide")),),
    "max_bin": (_FROM_TWO,),
    "gamma": (_NOT_NEGATIVE,),
    "subsample": (_SHARE,),
    "colsample_bytree": (_SHARE,),
    "colsample_bylevel": (_SHARE,),
    "min_child_weight": (_NOT_NEGATIVE,),
    "max_delta_step": (_NOT_NEGATIVE,),
    "reg_alpha": (_NOT_NEGATIVE,),
    "reg_lambda": (_NOT_NEGATIVE,),
}
_LINEAR: Mapping[str, Accepted] = {
    "max_iter": (_COUNT,),
    "tol": (_NOT_NEGATIVE,),
    "fit_intercept": (_TRUTH,),
    "positive": (_TRUTH,),
    "alpha": (_NOT_NEGATIVE,),
    "C": (Interval(0, has_low=False),),
    "l1_ratio": (Interval(0, 1),),
}
_LOGISTIC_SOLVERS = Words(("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"))
_RIDGE_SOLVERS = Words(("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"))
_ACCEPTED: Mapping[str, Mapping[str, Accepted]] = {
    "RandomForestClassifier": {**_FOREST, **_OF_CLASSES},
    "RandomForestRegressor": {**_FOREST, **_OF_NUMBERS},
    "ExtraTreesClassifier": {**_FOREST, **_OF_CLASSES},
    "ExtraTreesRegressor": {**_FOREST, **_OF_NUMBERS},
    "HistGradientBoostingClassifier": _HISTOGRAM_BOOSTING,
    "HistGradientBoostingRegressor": _HISTOGRAM_BOOSTING,
    "XGBClassifier": _XGBOOST,
    "XGBRegressor": _XGBOOST,
    "LogisticRegression": {**_LINEAR, "solver": (_LOGISTIC_SOLVERS,)},
    "Ridge": {**_LINEAR, "solver": (_RIDGE_SOLVERS,)},
    "LinearRegression": _LINEAR,
}
_EVERYWHERE: Mapping[str, Accepted] = {"class_weight": (Words(("balanced", "none")),)}


def value_problem(spec: EstimatorSpec, name: str, value: Any) -> str | None:
    """Say what a hyperparameter takes instead of a value; None when it takes the value."""
    estimator = spec.path.partition(":")[2]
    accepted = {**_ACCEPTED.get(estimator, {}), **_EVERYWHERE}.get(name)
    if value is None or accepted is None or any(alternative.takes(value) for alternative in accepted):
        return None
    return f"{name} must be {_ALTERNATIVES.join(map(str, accepted))}, not {value!r}."
