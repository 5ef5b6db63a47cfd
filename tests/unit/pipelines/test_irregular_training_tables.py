"""Tables that are hard to learn from: a sound model, or one sentence that says what to change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.models.errors import DatasetError, SettingsError, TrainingError
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, build_table, train


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path):
    frame = build_table()
    frame.loc[:49, "outcome"] = None
    result = train(frame, tmp_path)
    assert result.n_rows_train + result.n_rows_test == 350
    assert any("50 rows have no value of 'outcome'" in warning for warning in result.warnings)


def test_without_settings_the_last_column_is_the_target_and_that_is_said(tmp_path: Path):
    frame = build_table()
    result = train(frame, tmp_path, target=None)
    assert result.target == "outcome"
    assert any("No target is set" in warning for warning in result.warnings)


def test_a_column_called_target_or_label_is_the_target(tmp_path: Path):
    frame = build_table().rename(columns={"outcome": "label"})[["label", "age", "dose", "region"]]
    assert train(frame, tmp_path, target=None, id_columns=[]).target == "label"


def test_free_text_and_id_like_columns_are_left_out_and_named(tmp_path: Path):
    frame = build_table()
    frame["comment"] = [
        f"patient {n} came on a rainy day and wrote a long story again" for n in range(len(frame))
    ]
    frame["row_id"] = np.random.default_rng(0).permutation(len(frame)) + 70_000
    frame["counter"] = np.arange(len(frame)) + 5
    dropped = train(frame, tmp_path, id_columns=[]).dropped_columns
    assert dropped["comment"] == "free text"
    assert "id" in dropped["row_id"]
    assert dropped["counter"] == "counts the rows"
    assert "id" in dropped["patient_id"]


def test_a_new_class_after_the_time_cut_counts_as_an_error_and_does_not_crash(tmp_path: Path):
    frame = build_table(task="multiclass")
    frame.loc[350:, "outcome"] = "new"
    result = train(frame, tmp_path, time_column="visited", algorithm="XGBoost", n_estimators=5)
    assert result.metrics.labels[-1] == "new"
    assert result.metrics.confusion_matrix[-1][-1] == 0
    model, _ = artifacts.load_model(result.model_path)
    assert "new" not in model.schema.labels


@pytest.mark.parametrize(
    ("spoil", "config", "words"),
    [
        (lambda f: f.assign(outcome="yes"), {}, "one class only"),
        (lambda f: f.assign(outcome=["rare"] * 3 + ["no", "yes"] * 198 + ["no"]), {}, "fewer than 10 rows"),
        (lambda f: f.assign(outcome=[f"c{n}" for n in range(400)]), {}, "distinct values, and at most 100"),
        (lambda f: f.head(12), {}, "at least 30 are needed"),
        (lambda f: f, {"target": "outcom"}, r"no target column 'outcom'. Did you mean 'outcome'"),
        (lambda f: f, {"id_columns": "absent"}, "not have: absent"),
        (lambda f: f, {"positive_label": "maybe"}, "No row has the positive label 'maybe'"),
        (lambda f: f, {"task": "regression"}, "not numbers"),
        (lambda f: f[["patient_id", "outcome"]], {}, "No column can be used as a feature"),
        (lambda f: f, {"C": -1.0}, "C must be a number above 0, not -1.0"),
        (lambda f: f, {"class_weight": "heavy"}, "class_weight must be one of"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(spoil, config, words: str, tmp_path: Path):
    with pytest.raises((TrainingError, SettingsError), match=words) as caught:
        train(spoil(build_table()), tmp_path, **config)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model" / "manifest.json").exists()


def test_an_unknown_hyperparameter_is_refused_before_anything_is_read():
    with pytest.raises(SettingsError, match=r"Did you mean 'max_depth'"):
        TrainingPipeline({"algorithm": "RandomForest", "max_dept": 3})


def test_a_directory_must_hold_exactly_one_table(tmp_path: Path):
    pipeline = TrainingPipeline(SETTINGS)
    with pytest.raises(DatasetError, match="does not exist"):
        pipeline.execute(tmp_path / "nothing", tmp_path / "model")
    (tmp_path / "data").mkdir()
    with pytest.raises(DatasetError, match="holds 0"):
        pipeline.execute(tmp_path / "data", tmp_path / "model")
    build_table(60).to_csv(tmp_path / "data" / "train.csv", index=False)
    assert pipeline.execute(tmp_path / "data", tmp_path / "model").n_rows_train > 30


def test_many_columns_and_few_rows_end_well(tmp_path: Path):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(80, 130)), columns=[f"x{n}" for n in range(130)])
    frame = wide.assign(outcome=np.where(wide.x0 + rng.normal(0, 0.1, 80) > 0, "yes", "no"))
    result = train(frame, tmp_path, id_columns=[])
    assert len(result.features) == 130
    assert len(result.feature_importance) == 130


def of_target(target, **columns) -> pd.DataFrame:
    """Return 400 rows of two telling columns, any others, and this target."""
    table = build_table(400)[["age", "dose"]].fillna(50.0)
    return table.assign(**columns, outcome=target)


YES_NO = np.where(np.arange(400) % 2, "yes", "no")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (of_target("yes"), "one class only"),
        (of_target(YES_NO)[["outcome"]], "All 400 rows are alike in the row's content"),
        (of_target(YES_NO).assign(age=1, dose="k"), "All 400 rows are alike in the row's content"),
        (of_target(YES_NO).assign(age=np.nan, dose=np.nan), "All 400 rows are alike"),
        (of_target([f"id{n}" for n in range(400)]), 'task = "regression" where in doubt'),
        (of_target([f"c{n // 3}" for n in range(400)]), "134 distinct values|fewer than 10"),
        (of_target([f"c{min(n, 47)}" for n in range(400)]), "47 of the 48 classes .* fewer than 10 rows"),
        (of_target([5.0] * 399 + [6.5]), "1 of the 2 classes"),
        (of_target(np.where(np.arange(400) < 380, None, YES_NO)), "20 usable rows"),
        (of_target(build_table(400).dose * 1e300), "not numbers, or beyond 1e38"),
    ],
)
def test_rows_that_nothing_can_be_learned_from_are_refused_in_one_sentence(frame, words, tmp_path: Path):
    with pytest.raises((TrainingError, SettingsError), match=words) as caught:
        train(frame, tmp_path, id_columns=[])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "frame",
    [
        of_target(np.where(np.arange(400) % 2, 17.5, 3.25)),
        of_target(YES_NO, big=2**62 + np.arange(400) * 2**40),
        of_target(YES_NO, bigger=[str(10**25 + n) for n in range(400)]),
        of_target(YES_NO, huge=build_table(400).dose * 1e307),
        of_target(YES_NO, nothing=np.nan, same=1, gaps=[1.0] * 5 + [np.nan] * 395),
        of_target(np.where(np.arange(400) % 5 < 2, None, YES_NO)),
    ],
    ids=["two numbers", "int64", "beyond int64", "beyond floats", "all missing", "target missing"],
)
def test_irregular_columns_end_in_a_sound_model(frame, tmp_path: Path):
    result = train(frame, tmp_path, id_columns=[], algorithm="auto")
    assert result.task == "binary"
    assert {"age", "dose"} <= set(result.features)
    assert not {"nothing", "same", "huge"} & set(result.features)
    assert all(np.isfinite(value) for value in result.metrics.values().values())
