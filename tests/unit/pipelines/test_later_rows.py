"""A table with dates and no `time_column`: training says how the model does on later rows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from mlops.pipelines.fitting import later_rows
from mlops.pipelines.training_pipeline import TrainingPipeline

N_ROWS = 400


def drifting_table(days: int = N_ROWS) -> pd.DataFrame:
    """Prices that follow `size` less and less: a model of the earlier rows is wrong on the later ones."""
    rng = np.random.default_rng(0)
    place = np.arange(N_ROWS)
    size = rng.normal(10.0, 2.0, N_ROWS)
    slope = np.where(place < 0.8 * N_ROWS, 2.0, -2.0)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(place * days // N_ROWS, unit="D")
    price = slope * (size - 10.0) + rng.normal(0, 0.3, N_ROWS)
    return pd.DataFrame({"sold_on": dates.strftime("%Y-%m-%d"), "size": size, "price": price})


def train_notes(table: pd.DataFrame, folder: Path, **config) -> list[str]:
    settings = {"target": "price", "algorithm": "Ridge", **config}
    result = TrainingPipeline(settings).execute(table, folder / "model")
    return [note for note in result.warnings if "time_column" in note]


def test_both_scores_are_said_with_the_line_that_sets_the_time_column(tmp_path: Path) -> None:
    table = drifting_table()
    (note,) = train_notes(table, tmp_path)
    early, late = table[:320], table[320:]
    model = Ridge().fit(early[["size"]], early.price)
    expected = r2_score(late.price, model.predict(late[["size"]]))
    said = re.search(r"learned from the 320 earlier rows has R² (\S+) on the 80 later ones\.", note)
    assert said is not None
    assert float(said[1]) == pytest.approx(expected, abs=0.02)
    assert 'time_column = "sold_on" in model.toml' in note
    settings = {"target": "price", "algorithm": "Ridge", "time_column": "sold_on"}
    by_time = TrainingPipeline(settings).execute(table, tmp_path / "by_time")
    assert by_time.metrics.r2 == pytest.approx(float(said[1]), abs=0.0001)


@pytest.mark.parametrize("algorithm", ["auto", "XGBoost", "HistGradientBoosting"])
def test_classes_are_judged_too_whatever_the_algorithm(algorithm: str, tmp_path: Path) -> None:
    table = drifting_table()
    table["price"] = np.where(table.price > 0, "high", "low")
    (note,) = train_notes(table, tmp_path, algorithm=algorithm)
    after = note.split("earlier rows has ROC AUC ")[1]
    assert float(after.split()[0]) < 0.2


def test_nothing_is_said_where_the_time_column_is_set(tmp_path: Path) -> None:
    table = drifting_table().assign(listed_on=lambda sold: sold.sold_on)
    assert train_notes(table, tmp_path, time_column="sold_on") == []


def test_dates_of_few_days_and_tables_without_dates_have_no_note(tmp_path: Path) -> None:
    assert train_notes(drifting_table(days=9), tmp_path) == []
    assert train_notes(drifting_table().drop(columns="sold_on"), tmp_path) == []


def test_the_date_of_the_most_different_values_is_taken_also_an_excluded_one(tmp_path: Path) -> None:
    table = drifting_table()
    table["listed_in"] = pd.to_datetime(table.sold_on).dt.strftime("%Y-%m-01")
    (note,) = train_notes(table, tmp_path, exclude_columns=["sold_on"])
    assert "sold_on holds dates" in note


def test_later_rows_that_define_no_score_do_not_fail_the_training(tmp_path: Path) -> None:
    table = drifting_table()
    table["price"] = np.where(np.arange(N_ROWS) < 300, np.where(table.price > 0, "a", "b"), "a")
    (note,) = train_notes(table, tmp_path, algorithm="LogisticRegression")
    assert "The later rows alone define no score." in note


def test_of_many_rows_some_are_used_and_the_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_rows, "MAX_ROWS", 200)
    (note,) = train_notes(drifting_table(), tmp_path)
    assert re.search(r"from the 160 earlier rows .* on the 40 later ones, of 200 of 400 rows\.", note)


def test_a_group_of_earlier_and_later_rows_is_on_one_side_only(tmp_path: Path) -> None:
    table = drifting_table().assign(seller=[f"S{number % 40}" for number in range(N_ROWS)])
    (note,) = train_notes(table, tmp_path, group_columns=["seller"])
    n_earlier, n_later = map(int, re.search(r"the (\d+) earlier .* the (\d+) later", note).groups())
    assert n_later < 80
    assert n_earlier + n_later < N_ROWS
