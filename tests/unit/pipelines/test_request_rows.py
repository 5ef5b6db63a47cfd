"""Rows of a request are predicted as the same rows of a file, one by one or together."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.models.errors import RequestError
from mlops.models.scoring.scored_table import ScoredTable
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

CONFIG = {
    "target": "outcome",
    "id_columns": ["patient_id"],
    "algorithm": "LogisticRegression",
    "date_parts": {"visited": ["month", "weekday"]},
    "columns": {"dose": {"missing_share": 0.0}},
}


def a_table(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Patients with a code, a date, decimals, whole numbers, truth values and gaps."""
    rng = np.random.default_rng(seed)
    age, dose = rng.integers(20, 80, rows), rng.gamma(2.0, 2.0, rows).round(3)
    code, smoker = rng.choice(["007", "042", "100"], rows), rng.random(rows) < 0.4
    signal = 0.08 * (age - 50) + 0.5 * (dose - 4) + 1.5 * (code == "042") + 1.0 * smoker
    return pd.DataFrame(
        {
            "patient_id": [f"{number:05d}" for number in range(rows)],
            "age": pd.array(np.where(rng.random(rows) < 0.05, -1, age), "Int64"),
            "dose": dose,
            "code": code,
            "smoker": smoker,
            "visited": pd.date_range("2023-01-01", periods=rows, freq="D").strftime("%Y-%m-%d"),
            "outcome": np.where(signal + rng.normal(0, 1.0, rows) > 0.5, "yes", "no"),
        }
    ).replace({"age": {-1: pd.NA}})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("requests")
    a_table().to_csv(folder / "train.csv", index=False)
    TrainingPipeline(CONFIG).execute(folder / "train.csv", folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def pipeline(model: Path) -> InferencePipeline:
    return InferencePipeline(model, model_version="v1.0.0")


def a_row(**values: Any) -> dict[str, Any]:
    row = {"patient_id": "00017", "age": 41, "dose": 2.5, "code": "042", "smoker": True}
    return {**row, "visited": "2023-05-01", **values}


ROWS = [
    a_row(),
    a_row(code="007", smoker=False, age=None),
    a_row(code="999", age=79, dose=1),  # an unseen category, a whole number among decimals
    a_row(code=None, smoker=None, visited=None),
    a_row(dose=None),
    a_row(age="old", dose=0.001),
    a_row(age="52", dose="3.25", patient_id=17),
    a_row(visited="soon"),
    a_row(visited="2024-02-29", dose=1e-7, age=20.0, patient_id='two\nlines, "quoted"'),
]


def in_a_file(rows: list[dict[str, Any]], pipeline: InferencePipeline, folder: Path) -> list[list[str]]:
    """The rows of the predictions file for the same values, as the csv module writes them."""
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    result = pipeline.execute(folder / "rows.csv", folder / "predictions")
    with result.predictions_path.open(newline="") as stream:
        return list(csv.reader(stream))


def as_read(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(rows))


def cells(table: ScoredTable) -> list[list[str]]:
    return [list(row) for row in table.rows]


def test_rows_of_a_request_are_predicted_as_those_of_a_file(
    pipeline: InferencePipeline, tmp_path: Path
) -> None:
    header, *expected = in_a_file(ROWS, pipeline, tmp_path)
    actual = pipeline.predict(as_read(ROWS))
    assert list(actual.columns.names) == header
    assert cells(actual) == expected
    statuses = [document["row_status"] for document in actual.documents()]
    assert statuses == [
        "scored", "scored", "scored", "scored", "missing_required", "unreadable:age", "scored",
        "unreadable:visited", "scored",
    ]  # fmt: skip


def test_a_row_has_the_same_prediction_alone_and_among_others(pipeline: InferencePipeline) -> None:
    rows = [*ROWS, *json.loads(a_table(40, seed=5).drop(columns="outcome").to_json(orient="records"))]
    together = cells(pipeline.predict(rows))
    alone = [cells(pipeline.predict([row]))[0] for row in rows]
    assert [row[1:] for row in alone] == [row[1:] for row in together]
    assert [row[0] for row in alone] == ["1"] * len(rows)


def test_no_share_of_bad_rows_refuses_a_request(pipeline: InferencePipeline) -> None:
    table = pipeline.predict([a_row(dose="?", age="x")] * 200)
    assert {document["prediction"] for document in table.documents()} == {None}
    assert {document["row_status"] for document in table.documents()} == {"unreadable:age"}


def test_a_prediction_is_ready_for_json(pipeline: InferencePipeline) -> None:
    scored, bad = pipeline.predict([a_row(), a_row(dose=None)], reasons=True).documents()
    assert scored.keys() == bad.keys()
    assert (scored["row"], scored["patient_id"], scored["row_status"]) == (1, "00017", "scored")
    assert scored["prediction"] in ("yes", "no")
    assert scored["probability_no"] + scored["probability_yes"] == pytest.approx(1.0)
    assert len(scored["reasons"]) == 3
    assert {"age", "dose", "code", "smoker", "visited"} >= {reason["column"] for reason in scored["reasons"]}
    assert [bad[name] for name in ("prediction", "probability_no", "reasons")] == [None, None, []]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> InferencePipeline:
    """A model of files with decimal commas, `true` and `false`, and numbers as ids."""
    folder, table = tmp_path_factory.mktemp("other"), a_table()
    written = table.assign(smoker=table["smoker"].astype(str).str.lower(), patient_id=np.arange(len(table)))
    written.to_csv(folder / "train.csv", index=False, sep=";", decimal=",")
    TrainingPipeline({**CONFIG, "format": {"decimal_separator": ","}}).execute(
        folder / "train.csv", folder / "model"
    )
    return InferencePipeline(folder / "model")


def test_truth_values_are_written_as_the_column_writes_them(other: InferencePipeline) -> None:
    by_truth, by_text, opposite = (
        row["probability_yes"]
        for row in other.predict([a_row(smoker=value) for value in (True, "true", False)]).documents()
    )
    assert by_truth == by_text != opposite


def test_numbers_beside_a_text_are_read_by_the_decimal_mark_that_is_stated(other: InferencePipeline) -> None:
    alone = other.predict([a_row(dose=1.234)]).documents()[0]
    beside, by_text, _ = other.predict([a_row(dose=value) for value in (1.234, "1,234", "much")]).documents()
    assert alone["probability_yes"] == beside["probability_yes"] == by_text["probability_yes"]


def test_long_numbers_as_ids_keep_every_digit(other: InferencePipeline) -> None:
    ids = [2**60 + 7, None, 2**63 + 1]
    answered = other.predict([a_row(patient_id=value) for value in ids]).documents()
    assert [row["patient_id"] for row in answered] == ["1152921504606846983", None, "9223372036854775809"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (a_row(age=[41]), "Row 2, column age: a value must be a text, a finite number"),
        (a_row(code={"a": 1}), "Row 2, column code"),
        (a_row(dose=float("inf")), "Row 2, column dose"),
        (a_row(dose=10**400), "Row 2, column dose"),
        (a_row(code="a\0b"), "Row 2, column code"),
    ],
)
def test_a_value_that_is_no_cell_is_named_by_row_and_column(
    pipeline: InferencePipeline, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        pipeline.predict([a_row(), row])


def test_a_column_that_no_row_names_is_missing_in_the_request(pipeline: InferencePipeline) -> None:
    without = {name: value for name, value in a_row().items() if name not in ("age", "visited")}
    with pytest.raises(RequestError, match=r"lack columns that the model needs: age, visited\. Send null"):
        pipeline.predict([without])
    named_once = pipeline.predict([without, a_row()]).documents()
    assert [row["row_status"] for row in named_once] == ["scored", "scored"]


def test_long_tables_are_cut_between_rows(pipeline: InferencePipeline) -> None:
    table = pipeline.predict([a_row(patient_id="x" * 100 * number) for number in range(1, 20)])
    parts = list(table.parts(3_000))
    assert sum((part.rows for part in parts), ()) == table.rows
    sizes = [sum(len(json.dumps(row)) for row in part.rows) for part in parts]
    assert len(parts) > 2
    assert max(sizes) <= 3_000
