"""Slices that `[slices]` of model.toml names: their rows, their quality, and where it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from mlops.dataset.table.table import Table
from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.evaluation import EvaluationDetails, SliceQuality, SliceTable
from mlops.models.settings.group import GroupSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.features.slicing import slices_by_column, slices_of
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import build_table

SLICED = ("region", "age", "sex", "patient_id")


def sliced_table(task: str) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    sex = rng.choice(["f", "m", "x"], 600, p=[0.49, 0.49, 0.02])
    return build_table(600, task=task).drop(columns=["visited"]).assign(sex=sex)


@pytest.fixture(scope="module")
def train_sliced(tmp_path_factory: pytest.TempPathFactory):
    """Trains on a table whose columns `sex` and `region` are excluded, once per task."""
    trained: dict[str, TrainingResult] = {}

    def train(task: str) -> TrainingResult:
        if task not in trained:
            config = {
                "target": "outcome",
                "id_columns": "patient_id",
                "exclude_columns": ["sex", "region"],
                "algorithm": "Ridge",
                "slices": {"columns": list(SLICED)},
            }
            folder = tmp_path_factory.mktemp(task) / "model"
            trained[task] = TrainingPipeline(config).execute(sliced_table(task), folder)
        return trained[task]

    return train


def table_of(result: TrainingResult) -> SliceTable:
    details = EvaluationDetails.from_json((result.model_path / "evaluation_details.json").read_bytes())
    assert details.slice_table is not None
    return details.slice_table


def slice_of(result: TrainingResult, column: str, value: str) -> SliceQuality:
    return next(one for one in table_of(result).slices if (one.column, one.value) == (column, value))


def held_out_predictions(task: str, result: TrainingResult, folder: Path) -> pd.DataFrame:
    """Return the held-out rows beside what the stored model writes for them."""
    table = sliced_table(task)
    InferencePipeline(result.model_path).execute(table, folder)
    predictions = pd.read_csv(folder / "predictions.csv").drop(columns="patient_id")
    return table.join(predictions)[prepare_rows(table, result.settings).split.test]


def test_the_quality_of_a_slice_is_that_of_its_predictions(train_sliced, tmp_path: Path) -> None:
    result = train_sliced("binary")
    rows = held_out_predictions("binary", result, tmp_path)
    north = rows[rows.region == "north"]
    is_yes = north.outcome == "yes"
    quality = slice_of(result, "region", "north")
    assert quality.n_rows == len(north)
    assert quality.score == pytest.approx(roc_auc_score(is_yes, north.probability_yes))
    assert quality.predicted == pytest.approx(north.probability_yes.mean())
    assert quality.observed == pytest.approx(is_yes.mean())
    assert quality.selection_rate == pytest.approx((north.prediction == "yes").mean())


def test_the_quality_of_a_slice_of_numbers_is_that_of_its_predictions(train_sliced, tmp_path: Path) -> None:
    result = train_sliced("regression")
    rows = held_out_predictions("regression", result, tmp_path)
    women = rows[rows.sex == "f"]
    quality = slice_of(result, "sex", "f")
    assert quality.score == pytest.approx(r2_score(women.outcome, women.prediction), abs=1e-6)
    assert quality.predicted == pytest.approx(women.prediction.mean())
    assert quality.observed == pytest.approx(women.outcome.mean())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_slices_of_a_column_have_all_held_out_rows_once(task: str, train_sliced) -> None:
    result = train_sliced(task)
    table = table_of(result)
    for column in ("region", "age", "sex"):
        assert sum(one.n_rows for one in table.slices if one.column == column) == result.n_rows_test
    assert table.overall.n_rows == result.n_rows_test
    assert table.overall.score == result.metrics.values()[str(result.metrics.primary)]
    for one in table.slices:
        if one.score is not None and one.interval is not None:
            assert one.interval[0] <= one.score <= one.interval[1]


def test_the_quartiles_of_a_column_are_those_of_the_training_rows(train_sliced) -> None:
    result = train_sliced("binary")
    rows = prepare_rows(sliced_table("binary"), result.settings)
    low, middle, high = sliced_table("binary").age[rows.split.train].quantile([0.25, 0.5, 0.75])
    names = [one.value for one in table_of(result).slices if one.column == "age"]
    assert names == [
        "missing",
        f"below {low:.6g}",
        f"{low:.6g} to {middle:.6g}",
        f"{middle:.6g} to {high:.6g}",
        f"from {high:.6g}",
    ]


def test_dates_are_cut_at_quartiles_too_and_written_as_days() -> None:
    days = pd.date_range("2024-01-01", periods=101, freq="D")
    frame = pd.DataFrame({"day": days.strftime("%d.%m.%Y"), "y": np.arange(101) % 7})
    table = Table.from_frame(frame)
    masks = dict(slices_by_column(table, "day", np.ones(101, bool)))
    assert [(name, int(mask.sum())) for name, mask in masks.items()] == [
        ("below 2024-01-26", 25),
        ("2024-01-26 to 2024-02-20", 25),
        ("2024-02-20 to 2024-03-16", 25),
        ("from 2024-03-16", 26),
    ]


def test_a_slice_of_few_rows_has_its_number_of_rows_and_nothing_else(train_sliced) -> None:
    few = slice_of(train_sliced("binary"), "sex", "x")
    assert 0 < few.n_rows < 30
    assert few == SliceQuality("sex", "x", few.n_rows)


def test_a_column_that_names_the_rows_is_left_out_with_a_note(train_sliced) -> None:
    result = train_sliced("binary")
    assert "patient_id" not in {one.column for one in table_of(result).slices}
    assert any("slices.columns is not used" in note and "patient_id" in note for note in result.warnings)


def test_the_card_shows_every_slice_and_warns_of_chance(train_sliced) -> None:
    page = (train_sliced("binary").model_path / "model_card.html").read_text()
    section = page.split("<h2>Slices</h2>", 1)[1].split("</section>")[0]
    assert section.count("<tr") == 2 + len(table_of(train_sliced("binary")).slices)
    assert "too few" in section
    assert "by chance" in section
    assert "Predicted yes" in section


def test_the_card_of_a_regression_shows_the_mean_error(train_sliced) -> None:
    result = train_sliced("regression")
    page = (result.model_path / "model_card.html").read_text()
    assert "Mean error" in page.split("<h2>Slices</h2>", 1)[1]


def test_files_to_score_do_not_need_the_columns(train_sliced, tmp_path: Path) -> None:
    table = sliced_table("binary").drop(columns=["sex", "region", "outcome"])
    InferencePipeline(train_sliced("binary").model_path).execute(table, tmp_path)
    assert set(pd.read_csv(tmp_path / "predictions.csv").row_status) == {"scored"}


def test_scored_rows_are_counted_by_segments_of_the_training(train_sliced, tmp_path: Path) -> None:
    result, table = train_sliced("binary"), sliced_table("binary")
    segments = [each.name for each in result.baseline.segments]
    assert {"sex: f", "sex: m", "region: north"} < set(segments)
    assert not [name for name in segments if name.startswith("patient_id")]
    reported = InferencePipeline(result.model_path).execute(table, tmp_path).drift_report
    assert reported is not None
    by_name = {segment.name: segment for segment in reported.segments}
    assert by_name["sex: f"].n_rows == (table["sex"] == "f").sum()
    assert reported.verdict == "OK"
    assert by_name["sex: f"].mean_before is not None


def test_details_without_slices_are_stored_as_before() -> None:
    assert "slice_table" not in EvaluationDetails().to_dict()
    assert EvaluationDetails.from_dict(EvaluationDetails().to_dict()) == EvaluationDetails()


def parts(cells: pd.Series, reference: pd.Series | None = None) -> dict[str, int]:
    masks = slices_of(cells, cells if reference is None else reference)
    return {value: int(mask.sum()) for value, mask in masks}


def test_numbers_are_cut_at_the_quartiles_of_the_training_rows() -> None:
    reference = pd.Series(np.arange(1.0, 101.0))
    assert parts(pd.Series([-5.0, 25.75, 25.74, 60.0, 1000.0, np.nan]), reference) == {
        "missing": 1,
        "below 25.75": 2,
        "25.75 to 50.5": 1,
        "50.5 to 75.25": 1,
        "from 75.25": 1,
    }


def test_ten_levels_are_slices_and_all_others_are_one() -> None:
    often = [f"level {number}" for number in range(10) for _ in range(3)]
    rare = ["rare 1", "rare 2", "other"]
    sizes = parts(pd.Series(pd.Categorical([*often, *rare])))
    assert len(sizes) == 11
    assert sizes["other (3 levels)"] == 3


def test_a_number_of_few_values_is_a_category_and_a_new_value_is_not_lost() -> None:
    sizes = parts(pd.Series([0.0, 1.0, 1.0, 7.0]), pd.Series([0.0, 1.0, 1.0]))
    assert sizes == {"1": 2, "0": 1, "other (1 level)": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[slices]\ncolumn = ["sex"]', "Unknown setting 'slices.column'. Did you mean 'columns'"),
        ("[slices]\ncolumns = 3", "slices.columns must be a list of texts"),
        (f"[slices]\ncolumns = {[str(number) for number in range(11)]}", "names 11 columns; at most 10"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match="Line") as caught:
        GroupSettings.from_toml(text)
    assert message in str(caught.value)


def test_settings_without_slices_have_the_identity_of_earlier_releases() -> None:
    assert "slices" not in GroupSettings.from_toml('target = "y"').to_dict()
    settings = GroupSettings.from_toml('[slices]\ncolumns = ["sex", "sex"]')
    assert settings.slices.columns == ("sex",)
    assert GroupSettings.from_dict(settings.to_dict()) == settings


def test_an_unknown_column_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    sliced_table("binary").to_csv(tmp_path / "train.csv", index=False)
    settings = GroupSettings.from_toml('target = "outcome"\n[slices]\ncolumns = ["regoin"]')
    report = validate(tmp_path / "train.csv", settings)
    (finding,) = (each for each in report.findings if each.rule_id == "settings_columns")
    assert finding.severity == "reject"
    assert "Did you mean 'region'?" in finding.message + (finding.advice or "")
    with pytest.raises(TrainingError, match="Did you mean 'region'"):
        TrainingPipeline(settings).execute(tmp_path / "train.csv", tmp_path / "model")
