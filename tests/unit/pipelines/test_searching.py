"""Searching for hyperparameters: what is tried, what is kept, and that it is the same twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.algorithms.definitions import ALGORITHMS
from mlops.algorithms.selection import configure, search_space
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.settings.group import GroupSettings, SearchSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.fitting.searching import draw_combinations
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import build_table

FOREST = {"target": "outcome", "id_columns": "patient_id", "algorithm": "RandomForest"}


def train(folder: Path, frame: pd.DataFrame, **config) -> TrainingResult:
    frame.to_csv(folder / "train.csv", index=False)
    return TrainingPipeline({**FOREST, **config}).execute(folder / "train.csv", folder / "model")


def settings(search: dict, algorithm: str = "RandomForest", **hyperparameters) -> GroupSettings:
    document = {"algorithm": algorithm, "search": search, "hyperparameters": hyperparameters}
    return GroupSettings.from_config(document)


def test_the_best_combination_is_trained_and_all_are_kept(tmp_path: Path):
    search = {"trials": 6, "space": {"min_samples_leaf": [2, 150]}}
    result = train(tmp_path, build_table(), search=search, n_estimators=10)
    assert len(result.trials) == 6
    assert result.hyperparameters["min_samples_leaf"] == result.trials[0].hyperparameters["min_samples_leaf"]
    assert result.hyperparameters["n_estimators"] == 10
    assert result.trials[0].score == max(trial.score for trial in result.trials)
    assert result.trials[0].n_rows == pytest.approx(result.n_rows_train, abs=1)
    assert any(trial.hyperparameters == {} for trial in result.trials)  # what would be taken without a search


def test_the_same_search_twice_finds_the_same(tmp_path: Path):
    first, second = (
        train(tmp_path, build_table(200), search={"trials": 4}, n_estimators=5) for _ in range(2)
    )
    assert first.trials == second.trials
    for name, value in first.metrics.values().items():
        assert second.metrics.values()[name] == pytest.approx(value, abs=1e-12)


def test_many_rows_are_kept_for_the_combinations_that_do_well_on_few(tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(6000, 3)), columns=["a", "b", "c"])
    frame["outcome"] = 3 * frame.a - frame.b + rng.normal(size=6000)
    space = {"alpha": [0.001, 100000.0]}
    result = train(frame=frame, folder=tmp_path, algorithm="Ridge", id_columns=[], search={"space": space})
    rows = [trial.n_rows for trial in result.trials]
    assert rows == sorted(rows, reverse=True)
    assert len(set(rows)) == 3
    assert rows[-1] < 0.2 * rows[0]
    assert result.hyperparameters["alpha"] < 1000


def test_without_an_algorithm_the_better_one_is_searched_for(tmp_path: Path):
    result = train(tmp_path, build_table(task="regression"), algorithm="auto", search={"trials": 3})
    assert result.algorithm == "Ridge"
    assert len(result.contenders) == 3
    assert {name for trial in result.trials for name in trial.hyperparameters} == {"alpha"}


def test_a_space_without_an_algorithm_names_the_first_that_knows_it(tmp_path: Path):
    search = {"trials": 3, "space": {"C": [0.01, 10.0]}}
    result = train(tmp_path, build_table(200), algorithm="auto", search=search)
    assert result.algorithm == "LogisticRegression"


def test_class_weights_reach_every_trial(tmp_path: Path):
    plain, weighted = (
        train(tmp_path, build_table(300), algorithm="LogisticRegression", search={"trials": 3}, **weights)
        for weights in ({}, {"class_weight": "balanced"})
    )
    assert weighted.hyperparameters["class_weight"] == "balanced"
    assert [t.score for t in weighted.trials] != [t.score for t in plain.trials]


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_every_space_holds_values_that_the_estimator_takes(name: str, task: str):
    spec = ALGORITHMS[name].spec(task)
    assert set(spec.space) <= spec.hyperparameters
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    for combination in draw_combinations(spec.space, settings({"trials": 4}, name)):
        small = {
            key: min(value, 5) if key in ("n_estimators", "max_iter") else value
            for key, value in combination.items()
        }
        configure(GroupSettings(algorithm=name, hyperparameters=small), task).estimator.fit(rows, y)


def test_ranges_of_whole_numbers_stay_whole_and_choices_stay_choices():
    space = {"max_depth": [2, 4], "C": [0.01, 100.0], "max_features": ["sqrt", "log2", 0.5]}
    drawn = draw_combinations(space, settings({"trials": 60}))[1:]
    assert {one["max_depth"] for one in drawn} == {2, 3, 4}
    assert {one["max_features"] for one in drawn} == {"sqrt", "log2", 0.5}
    assert 0.2 < np.mean([one["C"] < 1.0 for one in drawn]) < 0.8


def test_a_small_space_is_tried_once_through():
    drawn = draw_combinations({"max_depth": [2, 3]}, settings({"trials": 50}))
    assert len(drawn) == 3


def test_what_is_set_is_not_searched_for():
    assert "max_depth" not in search_space(settings({}), "binary", ["max_depth"])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"search": {"trial": 4}}, r"'search\.trial'.*Did you mean 'trials'"),
        ({"search": {"trials": 1}}, "search.trials must be a whole number from 2 to 1000"),
        ({"search": {"trials": "many"}}, "search.trials must be"),
        ({"search": {"space": {"max_depth": 3}}}, r"search\.space\.max_depth must be \[low, high\]"),
        ({"search": {"space": {"max_depth": [9, 3]}}}, "must go from low to high"),
        ({"search": {"space": {"max_dept": [3, 9]}}}, "'max_dept'.*Did you mean 'max_depth'"),
        ({"search": {"space": {"max_depth": [3, 9]}}, "max_depth": 4}, "is in both"),
        ({"search": 5}, "search must be a table"),
        ({"max_depth": [3, 9]}, r"belongs under \[search.space\]"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_in_one_sentence(document, words: str):
    with pytest.raises(SettingsError, match=words):
        TrainingPipeline({"algorithm": "RandomForest", **document})


def test_an_algorithm_without_anything_to_search_for_says_so(tmp_path: Path):
    with pytest.raises(SettingsError, match="leaves nothing to search for"):
        train(
            tmp_path,
            build_table(100, "regression"),
            algorithm="LinearRegression",
            search=SearchSettings().to_dict(),
        )


def test_a_search_travels_as_json():
    given = settings({"trials": 5, "space": {"max_features": ["sqrt", 0.5], "max_depth": [3, 9]}})
    assert GroupSettings.from_dict(given.to_dict()) == given
    assert GroupSettings.from_config({"settings": given.to_json()}) == given


def test_a_search_of_which_every_fit_fails_says_why_in_one_sentence(tmp_path: Path):
    unfit = {"algorithm": "HistGradientBoosting", "early_stopping": True, "validation_fraction": 100_000}
    with pytest.raises(TrainingError, match=r"No combination .* smaller than the number of samples"):
        train(tmp_path, build_table(), search={"trials": 3}, **unfit)
