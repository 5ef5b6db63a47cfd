"""One answer for each row: rows that cannot be scored say why, and too many of them refuse the file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.models.errors import DatasetError, SettingsError
from mlops.models.scoring.batch_folder import batch_folder
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.prediction import MedicationAdherencePrediction, Prediction
from mlops.models.scoring.result import InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings, ScoringSettings
from mlops.pipelines.artifacts.artifacts import load_pipeline
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import build_table

# what stands in a cell of a number or a date, and whether its row can be scored
CELLS = {
    "": True, "NA": True, "?": True, "unknown": True, "1e3": True, "old": False, "inf": False,
    "-Infinity": False, "1e39": False, "12 years": False, "5,5": False, "0x1F": False,
}  # fmt: skip
DATES = {"": True, "NA": True, "unknown": True, "9999-12-31": True, "2024-02-30": False, "soon": False}


@pytest.fixture(scope="module")
def model_of_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a date, an id that only the contract knows, and a value that must be there."""
    folder = tmp_path_factory.mktemp("rows")
    config = {
        "target": "outcome", "algorithm": "LogisticRegression", "date_parts": {"visited": ["month"]},
        "columns": {"dose": {"missing_share": 0.0}},
    }  # fmt: skip
    TrainingPipeline(config).execute(build_table(), folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def pipeline(model_of_rows: Path) -> InferencePipeline:
    return InferencePipeline(model_of_rows, model_version="v1.0.0")


def rows_of(result: InferenceResult) -> list[dict[str, str]]:
    with result.predictions_path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def a_file(rows: int = 60, **cells: dict[int, str]) -> pd.DataFrame:
    """Return rows to score as text, with other cells by column and position."""
    frame = build_table(rows, seed=3).drop(columns="outcome").fillna("").astype(str)
    for name, by_row in cells.items():
        for position, cell in by_row.items():
            frame.loc[position, name] = cell
    return frame


@pytest.mark.parametrize("as_frame", [True, False])
@pytest.mark.parametrize(("name", "cells"), [("age", CELLS), ("visited", DATES)])
def test_nothing_but_what_means_missing_is_read_as_missing(
    name: str, cells: dict[str, bool], pipeline: InferencePipeline, tmp_path: Path, as_frame: bool
) -> None:
    frame = a_file(**{name: dict(enumerate(cells))})
    frame.to_csv(tmp_path / "score.csv", index=False)
    rows = rows_of(pipeline.execute(frame if as_frame else tmp_path / "score.csv", tmp_path / "out"))
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 61)]
    assert [row["patient_id"] for row in rows] == list(frame["patient_id"])
    statuses = {cell: row["row_status"] for cell, row in zip(cells, rows, strict=False)}
    assert statuses == {cell: "scored" if fits else f"unreadable:{name}" for cell, fits in cells.items()}
    for row in rows:
        numbers = {row["prediction"] == "", row["probability_no"] == "", row["probability_yes"] == ""}
        assert numbers == {row["row_status"] != "scored"}


def test_a_row_without_a_required_value_or_any_value_is_not_scored(
    pipeline: InferencePipeline, tmp_path: Path
) -> None:
    nothing = {name: {2: ""} for name in ("age", "dose", "region", "visited")}
    frame = a_file(**nothing | {"dose": {1: "", 2: "", 3: "much"}, "age": {2: "", 4: ""}})
    result = pipeline.execute(frame, tmp_path)
    statuses = [row["row_status"] for row in rows_of(result)]
    assert statuses[:5] == ["scored", "missing_required", "missing_required", "unreadable:dose", "scored"]
    assert result.data_quality.row_statuses == {"scored": 57, "missing_required": 2, "unreadable:dose": 1}
    assert (result.data_quality.n_rows, result.data_quality.n_scored) == (60, 57)
    assert result.drift_report.n_rows == 60, "rows without a prediction do not disappear from the monitoring"


def test_the_other_rows_are_scored_as_if_the_bad_ones_were_not_there(
    pipeline: InferencePipeline, tmp_path: Path
) -> None:
    clean = rows_of(pipeline.execute(a_file(), tmp_path / "clean"))
    some = rows_of(pipeline.execute(a_file(age={7: "old", 30: "older"}), tmp_path / "some"))
    assert [row for position, row in enumerate(some) if position not in (7, 30)] == [
        row for position, row in enumerate(clean) if position not in (7, 30)
    ]


def test_the_compiled_model_and_the_pipeline_answer_alike(
    pipeline: InferencePipeline, model_of_rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = a_file(200, age={7: "old"}, dose={9: ""})
    compiled = rows_of(pipeline.execute(frame, tmp_path / "compiled"))
    assert pipeline._model.compiled is not None
    fitted = load_pipeline(pipeline.described.manifest, model_of_rows)
    monkeypatch.setattr(pipeline, "_model", replace(pipeline._model, pipeline=fitted, compiled=None))
    plain = rows_of(pipeline.execute(frame, tmp_path / "plain"))
    for ours, theirs in zip(compiled, plain, strict=True):
        assert ours["row_status"] == theirs["row_status"]
        assert ours["prediction"] == theirs["prediction"]
        if ours["prediction"]:
            assert float(ours["probability_yes"]) == pytest.approx(float(theirs["probability_yes"]), abs=1e-9)


@pytest.mark.parametrize(
    ("n_rows", "n_bad", "share", "is_scored"),
    [
        (200, 10, 0.05, True),
        (200, 11, 0.05, False),
        (99, 50, 0.05, True),
        (3, 2, 0.05, True),
        (3, 3, 0.05, False),
        (200, 60, 0.3, True),
        (200, 1, 0.0, False),
        (200, 199, 1.0, True),
        (200, 200, 1.0, False),
    ],
)
def test_too_many_bad_rows_refuse_the_file_with_their_list(
    n_rows: int, n_bad: int, share: float, is_scored: bool, pipeline: InferencePipeline, tmp_path: Path
) -> None:
    # the rows are bad for two reasons, each of which alone is below the limit
    half = n_bad // 2
    cells = {"age": dict.fromkeys(range(half), "old"), "dose": dict.fromkeys(range(half, n_bad), "")}
    frame = a_file(n_rows, **cells)
    settings = GroupSettings(scoring=ScoringSettings(max_bad_share=share))
    if is_scored:
        assert pipeline.execute(frame, tmp_path, settings=settings).data_quality.n_scored == n_rows - n_bad
        return
    with pytest.raises(DatasetError, match=f"{n_bad} of {n_rows} rows cannot be scored") as refusal:
        pipeline.execute(frame, tmp_path, settings=settings)
    assert f"row{'s' if n_bad - half > 1 else ''} {half + 1}" in str(refusal.value)
    assert ("max_bad_share" in str(refusal.value)) is (n_bad < n_rows)
    assert not list(tmp_path.glob("predictions*")), "no half of a file is left"


def test_input_columns_are_kept_and_never_take_the_name_of_another_column(
    pipeline: InferencePipeline, tmp_path: Path
) -> None:
    frame = a_file().assign(prediction="mine", input_prediction="too", note='a "b", =c', row=7)
    output = OutputSettings(
        keep_columns=("note", "prediction", "input_prediction", "row", "patient_id", "absent")
    )
    settings = GroupSettings(output=output, scoring=ScoringSettings(row_status_column="answer"))
    result = pipeline.execute(frame, tmp_path, settings=settings)
    row = rows_of(result)[0]
    assert list(row) == [
        "row", "patient_id", "prediction", "probability_no", "probability_yes", "answer", "model_version",
        "note", "input_prediction", "input_input_prediction", "input_row",
    ]  # fmt: skip
    assert (row["input_prediction"], row["input_input_prediction"]) == ("mine", "too")
    assert (row["row"], row["input_row"], row["note"], row["answer"]) == ("1", "7", 'a "b", =c', "scored")
    first = next(result.predictions())
    assert first.inputs == {"note": 'a "b", =c', "prediction": "mine", "input_prediction": "too", "row": "7"}
    assert first.ids == {"patient_id": frame["patient_id"][0]}
    assert PredictionColumns.from_dict(result.columns.to_dict()) == result.columns


@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"], []], ids=["two", "three", "number"])
def test_settings_refuse_the_name_of_any_other_column_for_the_status(labels: list[str]) -> None:
    columns = PredictionColumns.of([], labels, "row_status", [], has_reasons=True, has_sets=True)
    for name in set(columns.names) - {"row_status"}:
        with pytest.raises(SettingsError, match=f"row_status_column cannot be '{name}'.*State a free name"):
            GroupSettings.from_toml(f'[scoring]\nrow_status_column = "{name}"\n')


def test_a_column_of_the_file_with_the_name_of_the_status_is_kept_beside_it() -> None:
    columns = PredictionColumns.of(["answer"], ["no", "yes"], "answer", [])
    assert (columns.row_status, columns.ids) == ("answer", {"answer": "input_answer"})


def test_the_adherence_group_has_a_prediction_of_its_own(pipeline: InferencePipeline, tmp_path: Path) -> None:
    frame = a_file(age={0: "old"})
    plain = list(pipeline.execute(frame, tmp_path).predictions())
    typed_result = pipeline.execute(frame, tmp_path, model_group="medication-adherence")
    typed = list(typed_result.predictions())
    assert {type(row) for row in plain} == {Prediction}
    assert {type(row) for row in typed} == {MedicationAdherencePrediction}
    assert (typed[0].prediction, typed[0].risk_band, typed[0].row_status) == (None, None, "unreadable:age")
    assert {row.risk_band for row in typed[1:]} == {"low", "medium", "high"}
    assert all((row.risk_band == "high") is (row.prediction == "yes") for row in typed[1:])
    assert all(row.probability < typed_result.threshold / 2 for row in typed if row.risk_band == "low")
    with pytest.raises(AttributeError):
        _ = plain[0].risk_band  # type: ignore[attr-defined]


def test_settings_of_scoring_are_checked_and_do_not_change_the_identity_of_a_training() -> None:
    read = GroupSettings.from_toml
    assert read("[scoring]\nmax_bad_share = 0.2\n").scoring.max_bad_share == 0.2
    assert read('[output]\nkeep_columns = ["site"]\n').output.keep_columns == ("site",)
    for wrong in ("[scoring]\nmax_bad_share = 5\n", '[scoring]\nrow_status_column = " "\n'):
        with pytest.raises(SettingsError, match="scoring"):
            read(wrong)
    assert ScoringSettings(wait_for_champion=False).to_dict() == {"wait_for_champion": False}
    assert OutputSettings(escape_formulas=False).to_dict() == {"escape_formulas": False}


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("score.csv", "score"),
        ("score.csv.gz", "score"),
        ("Q1 2026: Überblick.xlsx", "Q1-2026-Uberblick"),
        ("../../etc/passwd", "etc-passwd"),
        ("患者.csv", "file"),
        ("x" * 300 + ".csv", "x" * 40),
        ("a.b.c.csv", "a.b.c"),
        (".csv", "file"),
    ],
)
def test_a_batch_has_a_folder_with_the_name_of_its_file(name: str, folded: str) -> None:
    folder: Callable[[str], str] = lambda batch: batch_folder("g", batch, name, date(2026, 3, 1))  # noqa: E731
    assert folder("ab" * 16) == f"predictions/g/2026-03-01/{folded}-{'ab' * 6}"
    assert folder("ab" * 16) != folder("ac" * 16)
    assert np.all([character.isascii() for character in folder("ab" * 16)])


def test_a_star_keeps_every_column_and_stated_ones_come_first() -> None:
    output = OutputSettings(keep_columns=("region", "*", "absent"))
    assert output.kept_of(("age", "region", "visits")) == ["region", "age", "visits"]
    assert OutputSettings(keep_columns=("region",)).kept_of(("age", "region")) == ["region"]
