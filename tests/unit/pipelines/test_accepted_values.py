"""The table of accepted values says what the libraries say, so that no job starts for a value they refuse."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from mlops.algorithms.accepted_values import value_problem
from mlops.algorithms.definitions import ENTRIES, EstimatorSpec
from mlops.algorithms.selection import check_settings
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings

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
