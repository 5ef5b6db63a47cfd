"""The registry of algorithms, checked against the libraries that it names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlops.algorithms.contenders import candidates
from mlops.algorithms.definitions import ALGORITHMS
from mlops.algorithms.selection import algorithm, check_settings, configure
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_every_listed_hyperparameter_is_one_that_the_estimator_takes(name: str, task: str):
    spec = ALGORITHMS[name].spec(task)
    existing = set(configure(GroupSettings(algorithm=name), task).estimator.get_params())
    assert spec.hyperparameters - {"class_weight"} <= existing
    assert set(spec.defaults) <= spec.hyperparameters


def test_an_unknown_algorithm_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match=r"'XGboost'.*Did you mean 'XGBoost'"):
        check_settings(GroupSettings(algorithm="XGboost"))


def test_the_class_names_of_the_libraries_are_aliases():
    names = {"XGBClassifier": "XGBoost", "ExtraTreesRegressor": "ExtraTrees", "GradientBoosting": None}
    for alias, name in names.items():
        assert algorithm(alias).name == (name or "HistGradientBoosting")
    all_names = [name for entry in ALGORITHMS.values() for name in (entry.name, *entry.aliases)]
    assert len(all_names) == len(set(all_names))


# the number of trees, of which more are no loss; validation rows that would be of the same persons; and, for
# random cuts, more columns to draw them from than the root of their number
CHOSEN_OTHERWISE = {
    ("HistGradientBoosting", "max_iter"),
    ("HistGradientBoosting", "early_stopping"),
    *((name, "n_estimators") for name in ("RandomForest", "ExtraTrees")),
}
OF_CLASSES = {("ExtraTrees", "max_features")}


@pytest.mark.parametrize("name", ["RandomForest", "ExtraTrees", "HistGradientBoosting"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_defaults_of_the_library_contend_where_an_algorithm_is_named(name: str, task: str):
    *_, strong = (configure(one, task).estimator for one in candidates(GroupSettings(algorithm=name), task))
    own, stated = type(strong)().get_params(), ALGORITHMS[name].spec(task).defaults
    for parameter in stated:
        if (name, parameter) not in CHOSEN_OTHERWISE | (OF_CLASSES if task != "regression" else set()):
            assert strong.get_params()[parameter] == own[parameter], parameter
    assert strong.get_params()["n_estimators" if "n_estimators" in own else "max_iter"] >= 100


def test_without_an_algorithm_linear_and_boosted_models_contend():
    chosen_from = candidates(GroupSettings(hyperparameters={"class_weight": "balanced"}), "binary")
    assert [one.algorithm for one in chosen_from] == ["LogisticRegression", "XGBoost", "XGBoost"]
    assert all(one.hyperparameters["class_weight"] == "balanced" for one in chosen_from)
    assert candidates(GroupSettings(), "regression")[0].algorithm == "Ridge"


def test_without_an_algorithm_hyperparameters_name_the_first_that_knows_them():
    depth = GroupSettings.from_config({"n_estimators": 100, "max_depth": 10})
    assert [one.algorithm for one in candidates(depth)] == ["RandomForest"]
    assert candidates(GroupSettings(hyperparameters={"C": 1.0}))[0].algorithm == "LogisticRegression"
    with pytest.raises(SettingsError, match=r"'n_estimator'.*Did you mean 'n_estimators'"):
        check_settings(GroupSettings.from_config({"n_estimator": 10}))
    with pytest.raises(SettingsError, match="No algorithm has all of C, gamma"):
        check_settings(GroupSettings(hyperparameters={"C": 1.0, "gamma": 0.1}))


def test_an_unknown_hyperparameter_is_refused_with_the_nearest_name():
    settings = GroupSettings.from_config({"algorithm": "RandomForest", "n_estimator": 10})
    with pytest.raises(SettingsError, match=r"'n_estimator'.*Did you mean 'n_estimators'"):
        check_settings(settings)


def test_a_hyperparameter_of_another_task_is_refused_once_the_task_is_known():
    settings = GroupSettings(algorithm="LogisticRegression", hyperparameters={"C": 0.5})
    check_settings(settings)
    check_settings(settings, "binary")
    with pytest.raises(SettingsError, match=r"no hyperparameter 'C' for a regression task"):
        check_settings(settings, "regression")


def test_a_list_is_not_a_value_of_a_hyperparameter():
    settings = GroupSettings(algorithm="RandomForest", hyperparameters={"max_depth": [3, 5]})
    with pytest.raises(SettingsError, match=r"single value"):
        check_settings(settings)


@pytest.mark.parametrize(
    "module",
    [
        "algorithms.selection",
        "pipelines.evaluation.gate",
        "pipelines.jobs.training_job",
        "pipelines.jobs.training_source",
        "pipelines.artifacts.archive",
        "cli.files.training",
    ],
)
def test_what_small_lambdas_import_brings_no_numpy(module: str, repository):
    code = (
        f"import sys; import mlops.{module}; "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'pandas', 'sklearn', 'xgboost')))"
    )
    environment = {"PYTHONPATH": str(repository / "src")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
