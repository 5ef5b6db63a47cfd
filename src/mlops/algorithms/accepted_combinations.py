"""Which hyperparameters an estimator does not take together, or not for a target or a number of rows.

The libraries find it out when they fit, in a job that is paid for. A test compares the two on random
combinations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mlops.algorithms.definitions import EstimatorSpec
from mlops.models.settings.group import TaskName

type Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Values that an estimator refuses together; `defaults` are those of the library where none is set.

    `sentence` says what is wrong and which line is correct.
    """

    estimator: str
    defaults: Values
    is_refused: Callable[[Values], bool]
    sentence: str
    task: TaskName | None = None


def _has_samples_without_bootstrap(values: Values) -> bool:
    return values["bootstrap"] is False and values["max_samples"] is not None


def _mixes_penalties(values: Values) -> bool:
    return bool(0 < values["l1_ratio"] < 1 and values["solver"] != "saga")


def _has_absolute_penalty(values: Values) -> bool:
    return bool(values["l1_ratio"] == 1 and values["solver"] not in ("saga", "liblinear"))


def _is_liblinear(values: Values) -> bool:
    return bool(values["solver"] == "liblinear")


def _is_liblinear_without_tolerance(values: Values) -> bool:
    return _is_liblinear(values) and values["tol"] == 0


def _lacks_quantile(values: Values) -> bool:
    return values["loss"] == "quantile" and values["quantile"] is None


_SAMPLES = "max_samples needs the line bootstrap = true; or remove max_samples"
_PENALTY = {"solver": "lbfgs", "l1_ratio": 0.0}
_TOLERANCE = {"solver": "lbfgs", "tol": 1e-4}
CONFLICTS = (
    *(
        Conflict(
            f"{family}{kind}",
            {"bootstrap": family == "RandomForest", "max_samples": None},
            _has_samples_without_bootstrap,
            _SAMPLES,
        )
        for family in ("RandomForest", "ExtraTrees")
        for kind in ("Classifier", "Regressor")
    ),
    Conflict(
        "LogisticRegression",
        _PENALTY,
        _mixes_penalties,
        'l1_ratio between 0 and 1 needs the line solver = "saga"',
    ),
    Conflict(
        "LogisticRegression",
        _PENALTY,
        _has_absolute_penalty,
        'l1_ratio = 1 needs the line solver = "saga", or solver = "liblinear" for two classes',
    ),
    Conflict(
        "LogisticRegression",
        {"solver": "lbfgs"},
        _is_liblinear,
        'solver = "liblinear" takes two classes only; write solver = "lbfgs"',
        "multiclass",
    ),
    Conflict(
        "LogisticRegression",
        _TOLERANCE,
        _is_liblinear_without_tolerance,
        'solver = "liblinear" needs a tol above 0, such as tol = 0.0001',
    ),
    Conflict(
        "HistGradientBoostingRegressor",
        {"loss": "squared_error", "quantile": None},
        _lacks_quantile,
        'loss = "quantile" needs a second line, such as quantile = 0.9',
    ),
)
# the lowest target that a loss takes, and whether it takes this one too
_LOWEST_TARGETS = {("criterion", "poisson"): True, ("loss", "poisson"): True, ("loss", "gamma"): False}
# how many times the value a fit must have of rows: twice as many for two leaves of a tree, or for rows to
# learn from beside those that stop it early
_ROWS_NEEDED = {
    "min_samples_leaf": 2,
    "min_samples_split": 1,
    "min_child_weight": 2,
    "max_samples": 1,
    "validation_fraction": 2,
}


def combination_problem(
    spec: EstimatorSpec, task: TaskName, values: Values, tried: Mapping[str, Sequence[Any]]
) -> str | None:
    """Say which hyperparameters cannot be used together; None when all can.

    Parameters
    ----------
    values
        Those that are set, without our defaults.
    tried
        What a search tries for each name: a range (two numbers) or choices.
    """
    estimator = spec.path.partition(":")[2]
    stated = {**spec.defaults, **{name: value for name, value in values.items() if value is not None}}
    for conflict in CONFLICTS:
        is_possible = conflict.estimator == estimator and conflict.task in (None, task)
        if is_possible and any(map(conflict.is_refused, _combinations(conflict, stated, tried))):
            return conflict.sentence
    return None


def target_problem(values: Values, minimum: float) -> str | None:
    """Say which hyperparameter does not fit a regression target with this minimum; None when all do."""
    for (name, value), takes_zero in _LOWEST_TARGETS.items():
        if values.get(name) == value and (minimum < 0 or (minimum == 0 and not takes_zero)):
            bound = "from 0" if takes_zero else "above 0"
            return f'{name} = "{value}" needs a target {bound}, but its minimum is {minimum:g}'
    return None


def rows_problem(
    spec: EstimatorSpec, values: Values, tried: Mapping[str, Sequence[Any]], n_rows: int
) -> str | None:
    """Say which hyperparameter needs more rows than one fit has; None when all do with them.

    Parameters
    ----------
    tried
        As for `combination_problem`.
    n_rows
        The rows that the smallest fit of a training learns from, if they are divided evenly.
    """
    for name, divisor in _ROWS_NEEDED.items():
        for value in (*((values[name],) if name in values else ()), *tried.get(name, ())):
            # a fraction is a share of the rows, and a truth value is not a number
            is_count = name in spec.hyperparameters and isinstance(value, (int, float)) and value is not True
            if is_count and value > 1 and value * divisor > n_rows:
                return (
                    f"{name} = {value:,g} needs more rows: a fit learns from {n_rows:,} of them, so it can be"
                    f" {n_rows // divisor:,} at most"
                )
    return None


def _combinations(conflict: Conflict, stated: Values, tried: Mapping[str, Sequence[Any]]) -> Iterator[Values]:
    """Yield every combination of the values that are set or tried, with the defaults of the library."""
    options = (
        _options(tried[name]) if name in tried else [stated.get(name, default)]
        for name, default in conflict.defaults.items()
    )
    for combination in product(*options):
        yield dict(zip(conflict.defaults, combination, strict=True))


def _options(tried: Sequence[Any]) -> list[Any]:
    is_range = len(tried) == 2 and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in tried)
    return [*tried, sum(tried) / 2] if is_range else list(tried)
