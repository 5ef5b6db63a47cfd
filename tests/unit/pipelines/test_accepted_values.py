"""The table of accepted values says what the libraries say, so that no job starts for a value they refuse."""

from __future__ import annotations

import importlib
import random
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops.algorithms.accepted_combinations import combination_problem, target_problem
from mlops.algorithms.accepted_values import value_problem
from mlops.algorithms.definitions import ENTRIES, EstimatorSpec
from mlops.algorithms.selection import check_settings, configure
from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings, TaskName

VALUES = (
    -1, -0.5, 0, 0.0, 0.001, 0.5, 1, 1.0, 1.5, 2, 7, 255, 256, True, False, "sqrt", "auto", "words", "gini",
    "poisson", "lbfgs", "svd", "lossguide", "quantile",
)  # fmt: skip
SPECS = {
    f"{spec.path.partition(':')[2]}.{name}": (spec, name)
    for entry in ENTRIES
    for spec in (entry.classification, entry.regression)
    for name in sorted(spec.hyperparameters - {"class_weight"})
}
RNG = np.random.default_rng(0)
ROWS, CLASSES = RNG.normal(size=(80, 4)), np.arange(80) % 2
# what depends on another hyperparameter or on the target, not on the value alone
DEPENDENT = {("loss", "quantile"), ("loss", "gamma"), ("max_samples", 256), ("max_samples", 255)}


def refusal(spec: EstimatorSpec, name: str, value: Any) -> str | None:
    """Fit with the value; return what the library says against it."""
    module, _, estimator = spec.path.partition(":")
    small = dict.fromkeys({"n_estimators", "max_iter"} & spec.hyperparameters, 3)
    dependent = {"bootstrap": True} if name == "max_samples" else {}
    dependent |= {"solver": "saga"} if name == "l1_ratio" else {}
    model = getattr(importlib.import_module(module), estimator)(**{**small, **dependent, name: value})
    try:
        model.fit(ROWS, CLASSES)
    except Exception as error:  # noqa: BLE001  each library has errors of its own
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", SPECS)
def test_what_a_library_refuses_is_refused_before(case: str) -> None:
    spec, name = SPECS[case]
    for value in VALUES:
        if (name, value) not in DEPENDENT and value_problem(spec, name, value) is None:
            assert refusal(spec, name, value) is None, value


def test_the_defaults_and_the_ranges_of_a_search_are_accepted() -> None:
    for entry in ENTRIES:
        for spec in (entry.classification, entry.regression):
            for name, value in spec.defaults.items():
                assert value_problem(spec, name, value) is None, (entry.name, name)
            for name, values in spec.space.items():
                assert [value_problem(spec, name, value) for value in values] == [None] * len(values)


TARGETS: dict[TaskName, NDArray[Any]] = {
    "binary": CLASSES,
    "multiclass": np.arange(80) % 3,
    "regression": RNG.normal(size=80),
}
COMBINED = {
    f"{entry.name}, {task}": (entry, task)
    for entry in ENTRIES
    for task in TARGETS
    if not (entry.name in ("Ridge", "LinearRegression") and task != "regression")
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", COMBINED)
def test_of_random_combinations_those_are_refused_that_a_library_refuses(case: str) -> None:
    entry, task = COMBINED[case]
    spec, draw = entry.spec(task), random.Random(case)
    accepted = {
        name: [
            value for value in VALUES if value_problem(spec, name, value) is None and value not in (255, 256)
        ]
        for name in sorted(spec.hyperparameters - {"class_weight", "n_estimators", "max_iter"})
    }
    few = {name: 2 for name in ("n_estimators", "max_iter") if name in spec.hyperparameters}
    for _ in range(6 if entry.name == "HistGradientBoosting" else 25):  # slow, and with one conflict
        names = draw.sample(sorted(accepted), min(len(accepted), 4))
        values = {**few, **{name: draw.choice(accepted[name]) for name in names}}
        problem = combination_problem(spec, task, values, {})
        if task == "regression":
            problem = problem or target_problem(values, float(TARGETS[task].min()))
        settings = GroupSettings.from_config({"algorithm": entry.name, "hyperparameters": values})
        model = configure(settings, task).estimator
        if problem is None:
            model.fit(ROWS, TARGETS[task])
        else:
            with pytest.raises(Exception):  # noqa: B017, PT011  each library has errors of its own
                model.fit(ROWS, TARGETS[task])


@pytest.mark.parametrize(
    ("algorithm", "task", "hyperparameters", "space", "line"),
    [
        ("LogisticRegression", "binary", {"l1_ratio": 0.5}, {}, 'solver = "saga"'),
        ("LogisticRegression", "binary", {"l1_ratio": 1, "solver": "sag"}, {}, 'solver = "liblinear"'),
        ("LogisticRegression", "multiclass", {"solver": "liblinear"}, {}, 'solver = "lbfgs"'),
        ("LogisticRegression", "binary", {}, {"l1_ratio": [0, 1]}, 'solver = "saga"'),
        ("LogisticRegression", "binary", {"l1_ratio": 0.3}, {"solver": ["saga", "sag"]}, 'solver = "saga"'),
        ("RandomForest", "binary", {"bootstrap": False, "max_samples": 0.5}, {}, "bootstrap = true"),
        ("ExtraTrees", "regression", {"max_samples": 0.5}, {}, "bootstrap = true"),
        ("HistGradientBoosting", "regression", {"loss": "quantile"}, {}, "quantile = 0.9"),
    ],
)
def test_combinations_are_refused_with_the_line_that_is_missing(
    algorithm: str, task: TaskName, hyperparameters: dict[str, Any], space: dict[str, Any], line: str
) -> None:
    config: dict[str, Any] = {"algorithm": algorithm, "hyperparameters": hyperparameters}
    settings = GroupSettings.from_config({**config, **({"search": {"space": space}} if space else {})})
    with pytest.raises(SettingsError, match=re.escape(line)):
        check_settings(settings, task)


@pytest.mark.parametrize(
    ("hyperparameters", "minimum", "is_refused"),
    [
        ({"criterion": "poisson"}, -1.0, True),
        ({"criterion": "poisson"}, 0.0, False),
        ({"loss": "poisson"}, -0.5, True),
        ({"loss": "gamma"}, 0.0, True),
        ({"loss": "gamma"}, 0.1, False),
        ({"loss": "squared_error"}, -1.0, False),
    ],
)
def test_a_loss_is_held_against_the_lowest_target(
    hyperparameters: dict[str, Any], minimum: float, is_refused: bool, tmp_path: Path
) -> None:
    path, entry = (
        tmp_path / "file.csv",
        "RandomForest" if "criterion" in hyperparameters else "HistGradientBoosting",
    )
    spend = [minimum if row == 40 else minimum + row * 37 % 101 + 0.5 for row in range(120)]
    path.write_text("\n".join(["age,spend", *(f"{row * 7 % 60},{spend[row]}" for row in range(120))]))
    report = validate(path, {"target": "spend", "algorithm": entry, "hyperparameters": hyperparameters})
    assert (report.verdict == "reject") == is_refused
    table = np.arange(120.0).reshape(-1, 1)
    model = configure(
        GroupSettings.from_config({"algorithm": entry, "hyperparameters": {**hyperparameters}}), "regression"
    ).estimator
    with pytest.raises(ValueError, match="y") if is_refused else nullcontext():
        model.fit(table, np.array(spend))


@pytest.mark.parametrize(
    ("algorithm", "hyperparameters", "message"),
    [
        ("LogisticRegression", {"C": -1.0}, "C must be a number above 0, not -1.0"),
        ("RandomForest", {"min_samples_split": 1}, "min_samples_split must be a whole number from 2 or"),
        ("RandomForest", {"criterion": "ginni"}, 'criterion must be one of "gini", "entropy", "log_loss"'),
        ("HistGradientBoosting", {"max_bins": 256}, "max_bins must be a whole number from 2 to 255"),
        ("XGBoost", {"subsample": 0}, "subsample must be a number above 0 to 1"),
        ("XGBoost", {"class_weight": "heavy"}, 'class_weight must be one of "balanced", "none"'),
    ],
)
def test_the_sentence_says_what_is_accepted(
    algorithm: str, hyperparameters: dict[str, Any], message: str
) -> None:
    settings = GroupSettings.from_config({"algorithm": algorithm, "hyperparameters": hyperparameters})
    with pytest.raises(SettingsError, match=message):
        check_settings(settings, "binary")


@pytest.mark.parametrize(
    ("algorithm", "name", "most"),
    [
        ("HistGradientBoosting", "validation_fraction", 64),
        ("HistGradientBoosting", "min_samples_leaf", 64),
        ("RandomForest", "max_samples", 128),
        ("XGBoost", "min_child_weight", 64),
    ],
)
def test_counts_of_rows_that_no_fit_has_are_refused_with_the_most_that_fits(
    algorithm: str, name: str, most: int, tmp_path: Path
) -> None:
    lines = [f"{row % 41},{row * 7 % 30},{('no', 'yes')[row % 3 > 0]}" for row in range(200)]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(["a,b,y", *lines]) + "\n")

    def refusals(value: int) -> list[str]:
        config = {"target": "y", "algorithm": algorithm, "hyperparameters": {name: value}}
        report = validate(path, GroupSettings.from_config(config))
        return [f.message for f in report.findings if f.rule_id == "rows_of_settings"]

    assert refusals(most) == []
    (message,) = refusals(most + 1)
    assert f"{name} = {most + 1} needs more rows" in message
    assert f"{most} at most" in message
