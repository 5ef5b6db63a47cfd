"""Sets of classes in what a model writes: in files and answers, on the card, and the same in both forms."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.reason import labels_of_cell
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.artifact_files import METRICS, MODEL_CARD
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.scoring.predictions_file import scored_table
from mlops.pipelines.scoring.row_status import RowStatuses
from mlops.pipelines.scoring.scored_rows import ScoredRows

from .conftest import build_table, train

STATED = {"classes": {"set_coverage": 0.9}}
# a name with the separator, one that a spreadsheet would run, and a plain one
NAMES = {"low": "low; later", "middle": "=middle", "high": "high"}


def a_frame(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    frame = build_table(rows, "multiclass", seed)
    return frame.assign(outcome=frame["outcome"].map(NAMES), prediction_set="mine")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    return train(a_frame(), folder, algorithm="LogisticRegression", **STATED).model_path


def test_the_file_names_the_classes_of_each_scored_row(model: Path, tmp_path: Path) -> None:
    frame = a_frame(200, seed=3).astype({"age": object})
    frame.loc[0, "age"] = "old"
    frame.to_csv(tmp_path / "score.csv", index=False)
    settings = GroupSettings(output=OutputSettings(keep_columns=("prediction_set",)))

    result = InferencePipeline(model).execute(tmp_path / "score.csv", tmp_path, settings=settings)

    with result.predictions_path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[-4:] == ["prediction_set", "row_status", "model_version", "input_prediction_set"]
    assert {row["input_prediction_set"] for row in rows} == {"mine"}
    assert (rows[0]["row_status"], rows[0]["prediction_set"]) == ("unreadable:age", "")
    predictions = list(result.predictions())
    assert predictions[0].prediction_set == ()
    for row, prediction in zip(rows[1:], predictions[1:], strict=True):
        assert set(prediction.prediction_set) <= set(NAMES.values())
        assert row["prediction"].removeprefix("'") in prediction.prediction_set
    assert len({len(prediction.prediction_set) for prediction in predictions[1:]}) > 1
    assert result.columns == type(result.columns).from_dict(result.columns.to_dict())


def test_rows_of_a_request_have_the_sets_of_a_file_as_lists(model: Path, tmp_path: Path) -> None:
    frame = a_frame(60, seed=4).drop(columns=["outcome", "prediction_set"])
    frame.to_csv(tmp_path / "score.csv", index=False)
    pipeline = InferencePipeline(model)
    of_file = [row.prediction_set for row in pipeline.execute(tmp_path / "score.csv", tmp_path).predictions()]

    together = pipeline.predict(json.loads(frame.to_json(orient="records"))).documents()
    alone = [
        pipeline.predict([row]).documents()[0] for row in json.loads(frame.head(8).to_json(orient="records"))
    ]

    assert [tuple(row["prediction_set"]) for row in together] == of_file
    assert [tuple(row["prediction_set"]) for row in alone] == of_file[:8]


@pytest.mark.parametrize("n_labels", [2, 8, 9, 70])
def test_sets_of_many_classes_are_written_as_they_are(n_labels: int) -> None:
    labels, n_rows = [f"kind {number}" for number in range(n_labels)], 300
    rng = np.random.default_rng(n_labels)
    in_set = np.asfortranarray(rng.random((n_rows, n_labels)) < 0.2)
    scores = Scores(np.zeros(n_rows, np.int64), np.full((n_rows, n_labels), 1 / n_labels), in_set=in_set)
    statuses = RowStatuses(np.zeros(n_rows, np.int64), ("scored",))
    rows = ScoredRows(pd.DataFrame(index=pd.RangeIndex(n_rows)), statuses, scores, {}, {})
    columns = PredictionColumns.of([], labels, "row_status", [], has_sets=True)

    written = [row["prediction_set"] or [] for row in scored_table([rows], columns, "v1.0.0").documents()]

    assert written == [
        [label for label, is_member in zip(labels, members, strict=True) if is_member] for members in in_set
    ]


def test_both_forms_of_a_model_give_the_same_sets(model: Path) -> None:
    loaded, manifest = artifacts.load_model(model)
    assert loaded.compiled is not None
    rows = a_frame(300, seed=9)
    pipeline = artifacts.load_pipeline(manifest, model)
    compiled_scores, scores = loaded.score(rows)[0], type(loaded)(loaded.schema, pipeline).score(rows)[0]
    assert compiled_scores.in_set is not None
    np.testing.assert_array_equal(compiled_scores.in_set, scores.in_set)


def test_the_card_and_the_metrics_say_what_the_sets_contain(model: Path) -> None:
    metrics = EvaluationMetrics.from_json((model / METRICS).read_bytes())
    assert set(metrics.set_coverage or {}) == set(NAMES.values())
    assert min((metrics.set_coverage or {}).values()) > 0.7
    assert 1.0 <= (metrics.mean_set_size or 0.0) <= 3.0
    card = (model / MODEL_CARD).read_text(encoding="utf-8")
    assert "Sets of 90 %" in card
    assert "90 % set contains their class" in card


def test_without_the_setting_there_is_no_column_and_nothing_on_the_card(trained, tmp_path: Path) -> None:
    result = trained("LogisticRegression", "multiclass")
    build_table(20, "multiclass").to_csv(tmp_path / "score.csv", index=False)
    scored = InferencePipeline(result.model_path).execute(tmp_path / "score.csv", tmp_path)
    assert "prediction_set" not in scored.predictions_path.read_text().splitlines()[0]
    assert next(scored.predictions()).prediction_set == ()
    assert "set_coverage" not in json.loads((result.model_path / METRICS).read_bytes())
    assert "Sets of" not in (result.model_path / MODEL_CARD).read_text(encoding="utf-8")


def test_a_cell_of_labels_is_read_as_it_was_written() -> None:
    assert labels_of_cell("") == ()
    assert labels_of_cell('mild; "severe; ""late"""; =x') == ("mild", 'severe; "late"', "=x")
