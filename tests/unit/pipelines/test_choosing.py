"""What is chosen on the training rows: contenders, boosting rounds, and folds that respect time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.algorithms.contenders import candidates, installed_candidates
from mlops.algorithms.cores import using_cores
from mlops.models.settings.group import GroupSettings
from mlops.models.training import N_FOLDS
from mlops.pipelines.features.training_rows import TrainingRows, prepare_rows
from mlops.pipelines.fitting.choosing import FittedModel, choose, fit_model
from mlops.pipelines.fitting.out_of_fold import fold_parts, training_sample
from mlops.pipelines.fitting.race import race


def a_table(n_rows: int = 400, **columns: Any) -> pd.DataFrame:
    """Return four columns of numbers, and those given."""
    numbers = np.random.default_rng(0).normal(size=(n_rows, 4)).round(4)
    return pd.DataFrame(numbers, columns=list("abcd")).assign(**columns)


def crossed(frame: pd.DataFrame) -> Any:
    """Return an outcome that two columns decide together, and neither alone."""
    return np.where(frame["a"] * frame["b"] > 0, "yes", "no")


def rows_of(frame: pd.DataFrame, **settings: Any) -> TrainingRows:
    return prepare_rows(frame, GroupSettings.from_config({"target": "outcome", **settings}))


def fitted(frame: pd.DataFrame, **settings: Any) -> FittedModel:
    rows = rows_of(frame, **settings)
    with using_cores(1):
        return fit_model(rows)


def test_a_contender_that_cannot_win_is_judged_on_fewer_folds():
    rows = rows_of(a_table(outcome=crossed))
    with using_cores(1):
        ranked = race(training_sample(rows), candidates(rows.settings, "binary"))
    assert ranked[0].settings.algorithm == "XGBoost"
    assert len(ranked[0].folds) == N_FOLDS
    linear = next(one for one in ranked if one.settings.algorithm == "LogisticRegression")
    assert len(linear.folds) == 1


def test_the_contender_of_the_best_score_out_of_fold_is_taken():
    table = a_table(outcome=lambda frame: (frame["a"] - 2.0 * frame["b"]).round(3))
    with using_cores(1):
        choice = choose(training_sample(rows_of(table)), GroupSettings(target="outcome"))
    assert choice.settings.algorithm == "Ridge"
    assert choice.contenders["Ridge"] == max(choice.contenders.values()) > 0.99


def test_boosting_has_the_rounds_that_were_best_out_of_fold():
    model = fitted(a_table(outcome=crossed), algorithm="XGBoost")
    (taken, *_) = model.contenders
    n_rounds = model.model.pipeline.named_steps["estimator"].get_booster().num_boosted_rounds()
    assert taken.endswith(f", {n_rounds} rounds")
    assert 1 < n_rounds < model.configured.hyperparameters["n_estimators"]


def test_a_retraining_on_other_rows_reports_the_same_hyperparameters():
    first, second = (fitted(a_table(n, outcome=crossed), algorithm="XGBoost") for n in (400, 300))
    assert first.configured.hyperparameters == second.configured.hyperparameters


def test_the_same_rows_give_the_same_model():
    first, second = (fitted(a_table(outcome=crossed)) for _ in range(2))
    aligned = rows_of(a_table(outcome=crossed)).aligned
    assert first.contenders == second.contenders
    probabilities = [one.model.score_aligned(aligned).probabilities for one in (first, second)]
    np.testing.assert_array_equal(*probabilities)


@pytest.mark.parametrize("algorithm", ["RandomForest", "HistGradientBoosting"])
def test_an_algorithm_without_hyperparameters_adapts_to_a_strong_signal(algorithm: str):
    table = a_table(300, outcome=lambda frame: np.exp(frame["a"]) * np.sign(frame["b"]))
    bounded, strong = candidates(GroupSettings(algorithm=algorithm), "regression")
    taken = fitted(table, algorithm=algorithm).settings.hyperparameters
    assert bounded.hyperparameters != strong.hyperparameters == taken


def test_an_algorithm_without_hyperparameters_stays_bounded_on_a_weak_signal():
    noise = np.random.default_rng(1).normal(scale=4.0, size=300)
    table = a_table(300, outcome=lambda frame: (frame["a"] + noise).round(3))
    bounded, _ = candidates(GroupSettings(algorithm="RandomForest"), "regression")
    assert fitted(table, algorithm="RandomForest").settings.hyperparameters == bounded.hyperparameters


def test_hyperparameters_that_are_set_leave_nothing_to_choose():
    settings = GroupSettings(algorithm="RandomForest", hyperparameters={"n_estimators": 20})
    assert candidates(settings, "regression") == (settings,)
    assert not fitted(a_table(200, outcome=crossed), algorithm="RandomForest", n_estimators=20).contenders


def test_without_xgboost_boosting_of_scikit_learn_contends(monkeypatch: pytest.MonkeyPatch):
    names = {one.algorithm for one in installed_candidates(GroupSettings(), "binary")}
    assert names == {"LogisticRegression", "XGBoost"}
    monkeypatch.setitem(sys.modules, "xgboost", None)  # as if it were not installed
    names = {one.algorithm for one in installed_candidates(GroupSettings(), "binary")}
    assert names == {"LogisticRegression", "HistGradientBoosting"}


def test_a_class_that_a_fold_has_alone_is_no_obstacle():
    """All rows of the class belong to one person, so that models of the other folds have not seen it."""
    n_rows = 400
    kinds = np.array(["one", "two", "three"])[np.arange(n_rows) % 3]
    persons = np.array([f"p{number}" for number in range(n_rows)])
    rows = rows_of(a_table(n_rows, outcome=kinds, person=persons), group_columns=["person"])
    together = rows.split.train & (kinds == "three")
    rows.split.folds[together] = 0
    with using_cores(1):
        model = fit_model(rows)
    scores = model.model.score_aligned(rows.aligned)
    assert scores.probabilities is not None
    assert scores.probabilities.shape == (n_rows, 3)


def a_table_in_time(n_rows: int = 400) -> pd.DataFrame:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n_rows)[::-1] // 2, unit="D")
    return a_table(n_rows, outcome=crossed, day=days.strftime("%Y-%m-%d"))


def test_with_a_time_column_models_are_judged_on_later_rows_alone():
    rows = rows_of(a_table_in_time(), time_column="day")
    days = rows.table["day"].to_numpy()[rows.split.train]
    parts = list(fold_parts(rows.split.folds[rows.split.train], by_time=rows.split.has_folds_in_time))
    assert len(parts) == N_FOLDS - 1
    for earlier, judged in parts:
        assert days[earlier].max() < days[judged].min()
    assert days[parts[0][1]].max() == days.max()


def test_without_a_time_column_each_fold_is_judged_by_models_of_all_others():
    rows = rows_of(a_table(outcome=crossed))
    parts = list(fold_parts(rows.split.folds, by_time=rows.split.has_folds_in_time))
    assert len(parts) == N_FOLDS
    assert all((fitted_to ^ judged).all() for fitted_to, judged in parts)
    assert sum(judged.astype(int) for _, judged in parts).tolist() == [1] * len(rows.table)


def test_a_search_is_judged_on_later_rows_alone():
    settings = {"algorithm": "LogisticRegression", "search": {"trials": 2}}
    rows = rows_of(a_table_in_time(), time_column="day", **settings)
    days = rows.table["day"].to_numpy()[rows.split.train]
    folds = training_sample(rows).held_out_folds()
    assert all(days[fold.fitted].max() < days[fold.judged].min() for fold in folds)
    with using_cores(1):
        assert len(fit_model(rows).trials) == 2
