"""Parts of dates as features: only on request, the same at training and at scoring, and never by guess."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.features.date_parts import date_part_values
from mlops.models.errors import DatasetError, SettingsError, TrainingError
from mlops.models.settings.columns import DatePart
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline


def visits(rows: int = 500) -> pd.DataFrame:
    """Visits whose outcome hangs on the month and the weekday alone."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2022-01-03", periods=900)[rng.integers(0, 900, rows)]
    in_season = (day.month >= 6) ^ (day.day_of_week >= 5)
    return pd.DataFrame(
        {
            "seen_on": day.strftime("%Y-%m-%d"),
            "paid_on": day.strftime("%Y-%m-%d 09:30"),
            "noise": rng.normal(size=rows).round(3),
            "outcome": np.where(in_season ^ (rng.random(rows) < 0.1), "yes", "no"),
        }
    )


def train(frame: pd.DataFrame, folder: Path, **config):
    frame.to_csv(folder / "train.csv", index=False)
    merged = {"target": "outcome", "algorithm": "HistGradientBoosting", **config}
    return TrainingPipeline(merged).execute(folder / "train.csv", folder / "model")


def test_dates_are_not_features_unless_parts_are_requested(tmp_path: Path):
    assert train(visits(), tmp_path).features == ("noise",)


def test_parts_of_every_date_become_features_and_are_learned_from(tmp_path: Path):
    result = train(visits(), tmp_path, date_parts=["month", "weekday"])
    assert set(result.features) == {"noise"} | {
        f"{date}_{part}" for date in ("seen_on", "paid_on") for part in ("month", "weekday")
    }
    assert result.metrics.roc_auc > 0.8
    assert not any("Dates are not used" in warning for warning in result.warnings)
    assert result.dropped_columns["seen_on"] == "raw date"


def test_parts_of_a_named_date_leave_the_others_out_and_say_so(tmp_path: Path):
    result = train(visits(), tmp_path, date_parts={"seen_on": ["month"]})
    assert result.features == ("noise", "seen_on_month")
    assert "Dates are not used as they are: paid_on." in result.warnings


def test_a_scoring_file_needs_only_the_date_itself(tmp_path: Path):
    frame = visits()
    result = train(frame, tmp_path, date_parts=["month", "weekday"])
    frame.drop(columns="outcome").to_csv(tmp_path / "score.csv", index=False)
    scored = InferencePipeline(result.model_path).execute(tmp_path / "score.csv", tmp_path / "scored")
    predicted = [row.prediction for row in scored.predictions()]
    assert np.mean(np.array(predicted) == frame.outcome) > 0.8
    assert scored.drift_report.features_with_drift == ()
    assert "seen_on_month" in scored.drift_report.features
    assert not scored.data_quality.unexpected_columns
    frame.drop(columns="seen_on").to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(DatasetError, match="missing from the header: seen_on"):
        InferencePipeline(result.model_path).execute(tmp_path / "short.csv", tmp_path / "scored")


def test_a_champion_with_date_parts_is_compared_with_a_candidate_without(tmp_path: Path):
    (tmp_path / "older").mkdir()
    older = train(visits(), tmp_path / "older", date_parts=["month", "weekday"])
    path = tmp_path / "train.csv"
    visits().to_csv(path, index=False)
    pipeline = TrainingPipeline({"target": "outcome", "algorithm": "HistGradientBoosting"})
    result = pipeline.execute(path, tmp_path / "model", champion_path=older.model_path)
    assert result.comparison.comparable
    assert result.comparison.n_rows == result.n_rows_test
    assert result.comparison.metrics["roc_auc"].difference < -0.2


def test_the_parts_are_those_of_the_calendar():
    frame = pd.DataFrame({"at": ["2024-02-29 13:45", "2023-12-31", None, "soon"]})
    parts = ("year", "quarter", "month", "day", "weekday", "day_of_year", "hour")
    actual = pd.DataFrame(date_part_values(frame, {"at": parts}, {}))
    assert actual.iloc[0].tolist() == [2024, 1, 2, 29, 4, 60, 13]
    assert actual.iloc[1].tolist() == [2023, 4, 12, 31, 7, 365, 0]
    assert actual.iloc[2:].isna().all().all()


def test_dates_of_which_the_month_must_be_guessed_are_refused(tmp_path: Path):
    frame = visits()
    frame["seen_on"] = [f"{1 + n % 12:02d}/{1 + n // 12 % 12:02d}/2024" for n in range(len(frame))]
    with pytest.raises(TrainingError, match="'seen_on' can be read as dates without guessing"):
        train(frame, tmp_path, date_parts=["month"])
    with pytest.raises(TrainingError, match="'noise' can be read as dates"):
        train(visits(), tmp_path, date_parts={"noise": ["month"]})
    with pytest.raises(TrainingError, match="'nowhere', which the file does not have"):
        train(visits(), tmp_path, date_parts={"nowhere": ["month"]})


def test_settings_take_a_list_for_all_dates_and_a_table_by_column():
    general: dict[str, tuple[DatePart, ...]] = {"*": ("month", "weekday")}
    assert GroupSettings.from_toml('date_parts = ["month", "weekday"]').date_parts == general
    table = GroupSettings.from_toml('[date_parts]\nseen_on = ["month"]')
    assert table.date_parts == {"seen_on": ("month",)}
    assert GroupSettings.from_config({"settings": table.to_json()}) == table
    as_text = {"date_parts": json.dumps(["month", "weekday"])}
    assert GroupSettings.from_config(as_text).date_parts == general
    with pytest.raises(SettingsError, match=r"'mont' in date_parts.*Did you mean 'month'"):
        GroupSettings.from_toml('date_parts = ["mont"]')
    with pytest.raises(SettingsError, match="date_parts must be a table"):
        GroupSettings.from_toml("date_parts = 3")


def test_the_model_keeps_what_it_was_made_of(tmp_path: Path):
    result = train(visits(120), tmp_path, date_parts=["month"])
    schema = artifacts.load_model(result.model_path)[0].schema
    assert schema.date_parts == {"seen_on": ("month",), "paid_on": ("month",)}


def test_only_the_parts_that_help_out_of_fold_stay(tmp_path: Path):
    parts = ["month", "weekday", "year", "quarter", "day"]
    result = train(visits(900), tmp_path, date_parts={"seen_on": parts}, choose_date_parts=True)
    assert set(result.features) == {"noise", "seen_on_month", "seen_on_weekday"}
    (note,) = [warning for warning in result.warnings if "help out of fold" in warning]
    assert "seen_on_month, seen_on_weekday. Models are as good without seen_on_day, " in note
    assert result.dropped_columns["seen_on_year"] == "does not help out of fold"
    model, _ = artifacts.load_model(tmp_path / "model")
    assert model.schema.date_parts == {"seen_on": ("month", "weekday")}


def test_files_to_score_need_no_date_of_which_no_part_helps(tmp_path: Path):
    frame = visits(700).assign(
        born_on=lambda rows: rows["seen_on"].sample(frac=1.0, random_state=1).to_numpy()
    )
    config = {
        "date_parts": {"seen_on": ["month"], "born_on": ["month", "weekday"]},
        "choose_date_parts": True,
    }
    result = train(frame, tmp_path, **config)
    assert set(result.features) == {"noise", "seen_on_month"}
    scored = InferencePipeline(tmp_path / "model").execute(frame[["seen_on", "noise"]], tmp_path / "scored")
    assert scored.n_rows == len(frame)


def test_the_last_feature_is_not_left_out(tmp_path: Path):
    frame = visits(300)[["paid_on", "outcome"]].assign(outcome=["yes", "no", "no"] * 100)
    result = train(frame, tmp_path, date_parts=["month", "weekday"], choose_date_parts=True)
    assert result.features == ("paid_on_month",)


def test_the_choice_of_parts_is_true_or_false():
    with pytest.raises(SettingsError, match="choose_date_parts must be true or false, not 1"):
        GroupSettings.from_toml("choose_date_parts = 1")
    assert "choose_date_parts" not in GroupSettings().to_dict()
    assert GroupSettings.from_config({"choose_date_parts": "true"}).choose_date_parts
