"""Judging single combinations, and taking the best of those that a tuning job has judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mlops.models.errors import SettingsError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.trials import judge_trial, read_trials
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, build_table

RIDGE = {**SETTINGS, "algorithm": "Ridge"}
SEARCH = {"trials": 3, "space": {"alpha": [0.01, 100.0]}}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    build_table(300, "regression").to_csv(path, index=False)
    return path


def judged(path: Path, **hyperparameters) -> float:
    return judge_trial(path, GroupSettings.from_config({**RIDGE, **hyperparameters}))


def keep(
    folder: Path, *trials: tuple[dict, float], n_failed: int = 0, reason: str = "", algorithm: str = "Ridge"
) -> Path:
    folder.mkdir(exist_ok=True)
    entries = [{"hyperparameters": tuned, "score": score} for tuned, score in trials]
    document = {"algorithm": algorithm, "trials": entries, "n_failed": n_failed, "reason": reason}
    (folder / "trials.json").write_text(json.dumps(document))
    return folder


def train(path: Path, folder: Path, **settings) -> TrainingResult:
    pipeline = TrainingPipeline({**RIDGE, "search": SEARCH, **settings})
    return pipeline.execute(path, path.parent / "model", trials_path=folder)


def test_rows_that_are_held_out_have_no_part_in_a_score(table: Path, tmp_path: Path):
    frame = build_table(300, "regression")
    held_out = prepare_rows(table, GroupSettings.from_config(RIDGE)).split.test
    assert 0 < held_out.sum() < len(frame)
    other = tmp_path / "other.csv"
    frame.assign(outcome=np.where(held_out, 1e3 - frame["outcome"], frame["outcome"])).to_csv(
        other, index=False
    )
    assert judged(other, alpha=3.0) == judged(table, alpha=3.0)
    frame.assign(outcome=np.where(held_out, frame["outcome"], frame["outcome"] ** 3)).to_csv(
        other, index=False
    )
    assert judged(other, alpha=3.0) != judged(table, alpha=3.0)


def test_a_trial_is_judged_as_the_last_round_of_a_search_inside_the_job_does(table: Path):
    inside = TrainingPipeline({**RIDGE, "search": SEARCH}).execute(table, table.parent / "inside")
    best = inside.trials[0]
    assert best.n_rows == inside.n_rows_train
    assert judged(table, **best.hyperparameters) == pytest.approx(best.score, rel=1e-9)


def test_class_weights_change_what_a_trial_is_worth(tmp_path: Path):
    path = tmp_path / "train.csv"
    build_table(300).to_csv(path, index=False)
    plain = {**SETTINGS, "algorithm": "LogisticRegression"}
    weighted = {**plain, "class_weight": "balanced"}
    scores = [judge_trial(path, GroupSettings.from_config(given)) for given in (plain, weighted)]
    assert scores[0] != scores[1]


def test_impossible_hyperparameters_are_one_sentence(table: Path):
    with pytest.raises(SettingsError, match=r"alpha must be a number from 0, not -5\.0"):
        judged(table, alpha=-5.0)


def test_the_best_of_the_trials_is_taken_and_nothing_is_searched_for(table: Path, tmp_path: Path):
    result = train(table, keep(tmp_path / "trials", ({"alpha": 7.5}, 0.999), ({"alpha": 2.0}, 0.5)))
    assert result.hyperparameters["alpha"] == 7.5
    assert result.trials[0].hyperparameters == {"alpha": 7.5}
    assert len(result.trials) == 3
    assert {trial.n_rows for trial in result.trials} == {result.n_rows_train}
    assert result.settings.search is not None  # what the team has set stays as it is


def test_what_is_set_is_one_of_the_trials_and_wins_where_it_is_best(table: Path, tmp_path: Path):
    result = train(table, keep(tmp_path / "trials", ({"alpha": 1e5}, -3.0)))
    assert result.trials[0].hyperparameters == {}
    assert result.trials[0].score == judged(table)
    assert result.hyperparameters.get("alpha") != 1e5


def test_the_model_is_the_one_that_these_hyperparameters_give(table: Path, tmp_path: Path):
    tuned = train(table, keep(tmp_path / "trials", ({"alpha": 7.5}, 0.999)))
    plain = TrainingPipeline({**RIDGE, "alpha": 7.5}).execute(table, tmp_path / "plain")
    assert tuned.metrics.values() == plain.metrics.values()


def test_defaults_that_win_against_the_trials_leave_nothing_to_choose(table: Path, tmp_path: Path):
    boosting = {"algorithm": "HistGradientBoosting", "search": {"trials": 2}}
    trials = keep(tmp_path / "trials", ({"max_iter": 1}, -3.0), algorithm="HistGradientBoosting")
    result = train(table, trials, **boosting)
    assert result.trials[0].hyperparameters == {}
    assert not result.contenders
    assert result.hyperparameters["max_iter"] == 200


def test_trials_that_failed_are_a_note(table: Path, tmp_path: Path):
    folder = keep(tmp_path / "trials", ({"alpha": 2.0}, 0.5), n_failed=2, reason="Too deep.")
    assert "2 of 3 trials of the search have no score. Too deep." in train(table, folder).warnings


def test_trials_that_cannot_be_read_are_a_failure(tmp_path: Path):
    with pytest.raises(TrainingError, match="cannot be read"):
        read_trials(tmp_path)
    (tmp_path / "trials.json").write_text('{"trials": [{"score": "high"}]}')
    with pytest.raises(TrainingError, match="cannot be read"):
        read_trials(tmp_path)


def test_with_auto_every_contender_is_judged_beside_the_trials_of_the_one_that_was_tuned(
    table: Path, tmp_path: Path
):
    trials = keep(tmp_path / "trials", ({"n_estimators": 5}, -9.0), algorithm="XGBoost")
    result = train(table, trials, algorithm="auto", search={"trials": 2})
    actual = [(trial.algorithm, trial.hyperparameters) for trial in result.trials]
    assert actual[-1] == ("XGBoost", {"n_estimators": 5})
    assert ("Ridge", {}) in actual
    assert sorted(name for name, _ in actual) == ["Ridge", *["XGBoost"] * 3]
    assert result.algorithm == result.trials[0].algorithm
    card = (result.model_path / "model_card.html").read_text()
    assert f"1 {result.algorithm}" in card.split("What the search tried", 1)[1]
