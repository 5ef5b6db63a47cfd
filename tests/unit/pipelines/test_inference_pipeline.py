"""Scoring: the rows of the file in their order, with what was noticed on the way."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.models.drift.profiles import BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.errors import ArtifactError, DatasetError
from mlops.models.scoring.batch_files import CONTENT_TYPES
from mlops.models.scoring.result import DataQuality, InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.scoring import batch_rows

from .conftest import SMALL, build_table, train


def score(model: Path, frame: pd.DataFrame, folder: Path, **options) -> InferenceResult:
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / "score.csv", index=False)
    return InferencePipeline(model, **options).execute(folder / "score.csv", folder / "out")


def rows_of(result: InferenceResult) -> list[dict[str, str]]:
    with result.predictions_path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("algorithm", sorted(SMALL))
def test_predictions_come_in_the_order_of_the_file(algorithm: str, task: str, trained, tmp_path: Path):
    frame = build_table(250, task, seed=9).sample(frac=1, random_state=1)
    result = score(trained(algorithm, task).model_path, frame, tmp_path, model_version="v1.0.0")
    rows = rows_of(result)
    assert [row["patient_id"] for row in rows] == list(frame.patient_id)
    assert {row["model_version"] for row in rows} == {"v1.0.0"}
    assert result.n_rows == 250
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 251)]
    assert {row["row_status"] for row in rows} == {"scored"}
    if task == "regression":
        for row in rows:
            assert float(row["interval_low"]) < float(row["prediction"]) < float(row["interval_high"])
    else:
        shares = [[float(row[name]) for name in row if name.startswith("probability_")] for row in rows]
        np.testing.assert_allclose(np.sum(shares, axis=1), 1.0, atol=1e-6)
        assert len(shares[0]) == (2 if task == "binary" else 3)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a,b", "a,b"),
        ('say "a"', 'say "a"'),
        ("two\nlines", "two\nlines"),
        ("=1+1", "'=1+1"),
        ("plain\n=1+1", "plain\n=1+1"),
        ("-5", "-5"),
        ("@cmd", "'@cmd"),
    ],
)
def test_one_special_text_among_plain_ones_is_quoted_or_escaped(
    text: str, cell: str, trained, tmp_path: Path
):
    model = trained("LogisticRegression", "binary").model_path
    kept = GroupSettings(output=OutputSettings(keep_columns=("note",)))
    frame = build_table(30).assign(note=[*(f"plain {number}" for number in range(29)), text])
    frame.to_csv(tmp_path / "score.csv", index=False)
    result = InferencePipeline(model).execute(tmp_path / "score.csv", tmp_path / "out", settings=kept)
    assert [row["note"] for row in rows_of(result)[-2:]] == ["plain 28", cell]


@pytest.mark.parametrize("is_escaped", [True, False])
def test_ids_and_labels_that_a_spreadsheet_would_run_are_escaped_by_default(is_escaped: bool, tmp_path: Path):
    frame = build_table()
    frame["patient_id"] = ["=1+1", *frame["patient_id"].astype(str)[1:]]
    frame["outcome"] = frame["outcome"].replace({"yes": "@yes"})
    output = {} if is_escaped else {"output": {"escape_formulas": False}}
    model = train(frame, tmp_path, algorithm="LogisticRegression", **output).model_path
    rows = rows_of(score(model, frame, tmp_path))
    assert rows[0]["patient_id"] == ("'=1+1" if is_escaped else "=1+1")
    assert rows[1]["patient_id"] == frame["patient_id"][1]
    assert {row["prediction"] for row in rows} == {"no", "'@yes" if is_escaped else "@yes"}


def test_a_binary_probability_is_that_of_the_positive_label(trained, tmp_path: Path):
    trained_result = trained("LogisticRegression", "binary")
    threshold = trained_result.metrics.threshold
    result = score(trained_result.model_path, build_table(seed=4), tmp_path)
    for prediction in result.predictions():
        assert (prediction.prediction == "yes") is (prediction.probability >= threshold)


def test_a_multiclass_probability_is_that_of_the_predicted_label(trained, tmp_path: Path):
    result = score(trained("RandomForest", "multiclass").model_path, build_table(seed=4), tmp_path)
    assert all(prediction.probability >= 1 / 3 for prediction in result.predictions())


def test_the_predictions_can_be_read_back_as_records(trained, tmp_path: Path):
    result = score(trained("XGBoost", "regression").model_path, build_table(seed=4).head(3), tmp_path)
    records = list(result.predictions())
    assert [record.row_number for record in records] == [1, 2, 3]
    assert records[0].ids == {"patient_id": "P00000"}
    assert isinstance(records[0].prediction, float)
    assert records[0].probability is None


def test_every_document_is_written_and_can_be_read(trained, tmp_path: Path):
    result = score(trained("RandomForest", "binary").model_path, build_table(seed=2), tmp_path)
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == CONTENT_TYPES.keys() - {"predictions.csv.gz"}
    assert DataQuality.from_json((out / "data_quality.json").read_bytes()) == result.data_quality
    assert DriftReport.from_json((out / "drift_report.json").read_bytes()) == result.drift_report
    assert BatchProfile.from_json((out / "batch_profile.json").read_bytes()).n_rows == 400
    assert "<html" in (out / "drift_report.html").read_text(encoding="utf-8")
    assert InferenceResult.from_dict(json.loads(result.to_json())) == result


def test_patients_like_those_of_training_show_no_drift_and_others_do(trained, tmp_path: Path):
    model = trained("LogisticRegression", "binary").model_path
    alike = score(model, build_table(400, seed=8), tmp_path / "alike").drift_report
    older = build_table(400, seed=8)
    changed = score(model, older.assign(age=older.age + 25), tmp_path / "older").drift_report
    assert alike.features_with_drift == ()
    assert changed.features_with_drift == ("age",)
    assert changed.drift_score > 0.2


def test_a_file_scored_in_pieces_gives_the_same_bytes(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model = trained("LogisticRegression", "binary").model_path
    whole = score(model, build_table(300, seed=5), tmp_path / "whole")
    monkeypatch.setattr(batch_rows, "_ROWS_AT_ONCE", 7)
    pieces = score(model, build_table(300, seed=5), tmp_path / "pieces")
    assert pieces.predictions_path.read_bytes() == whole.predictions_path.read_bytes()
    assert pieces.data_quality == whole.data_quality
    assert pieces.drift_report.features == whole.drift_report.features


@pytest.fixture(scope="module")
def loaded(trained) -> list[InferencePipeline]:
    """One model of each kind of estimator."""
    kinds = ("RandomForest", "XGBoost", "LogisticRegression", "HistGradientBoosting")
    return [InferencePipeline(trained(algorithm, "multiclass").model_path) for algorithm in kinds]


@pytest.mark.property
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=4),
    region=st.sampled_from(["north", "south", "west", None]),
)
def test_a_batch_is_scored_as_its_rows_one_by_one(ages, region, loaded):
    for pipeline in loaded:
        frame = pd.DataFrame({"age": ages, "dose": 3.5, "region": region}).astype({"age": float})
        whole = pipeline._model.score(frame)[0]
        for position in range(len(frame)):
            alone = pipeline._model.score(frame.iloc[[position]])[0]
            np.testing.assert_allclose(alone.probabilities[0], whole.probabilities[position], atol=1e-9)


def test_the_order_of_columns_and_the_presence_of_the_target_do_not_matter(trained, tmp_path: Path):
    model = trained("RandomForest", "binary").model_path
    frame = build_table(100, seed=6)
    with_target = score(model, frame, tmp_path / "a")
    turned = score(model, frame.drop(columns="outcome")[frame.columns[:-1][::-1]], tmp_path / "b")
    assert rows_of(with_target) == rows_of(turned)
    assert with_target.data_quality.unexpected_columns == ()
    assert with_target.drift_report.anomalies == ()


def test_what_does_not_fit_is_counted_and_rows_that_cannot_be_read_have_no_prediction(
    trained, tmp_path: Path
):
    frame = build_table(100, seed=6).astype({"age": object}).assign(weather="rain")
    frame.loc[:2, "age"] = "about fifty"
    frame.loc[:3, "region"] = "atlantis"
    result = score(trained("RandomForest", "binary").model_path, frame, tmp_path)
    quality = result.data_quality
    assert quality.unknown_levels == {"region": 4}
    assert quality.unexpected_columns == ("weather",)
    assert quality.unreadable_numbers == {"age": 3}
    assert quality.row_statuses == {"unreadable:age": 3, "scored": 97}
    assert [row["row_status"] == "scored" for row in rows_of(result)] == [False] * 3 + [True] * 97
    assert any("has never seen" in finding for finding in quality.findings)
    assert not any("atlantis" in finding or "about" in finding for finding in quality.findings)


def test_a_missing_feature_column_is_refused_by_name_and_leaves_no_predictions(trained, tmp_path: Path):
    frame = build_table(100).drop(columns=["dose", "age"])
    with pytest.raises(DatasetError, match="missing from the header: age, dose"):
        score(trained("RandomForest", "binary").model_path, frame, tmp_path)
    assert not (tmp_path / "out" / "predictions.csv").exists()


def test_a_file_without_rows_is_refused(trained, tmp_path: Path):
    with pytest.raises(DatasetError):
        score(trained("RandomForest", "binary").model_path, build_table(100).head(0), tmp_path)


def test_a_gzipped_file_is_scored_like_the_plain_one(trained, tmp_path: Path):
    model = trained("RandomForest", "binary").model_path
    plain = score(model, build_table(50, seed=3), tmp_path)
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "score.csv").read_bytes()))
    result = InferencePipeline(model).execute(packed, tmp_path / "again")
    with gzip.open(result.predictions_path, "rt", encoding="utf-8", newline="") as stream:
        assert list(csv.DictReader(stream)) == rows_of(plain)


def test_ids_keep_their_leading_zeros_and_text_levels_their_form(trained, tmp_path: Path):
    frame = build_table(50, seed=3)
    frame["patient_id"] = [f"{number:08d}" for number in range(50)]
    result = score(trained("RandomForest", "binary").model_path, frame, tmp_path)
    assert rows_of(result)[7]["patient_id"] == "00000007"


def test_a_model_without_a_baseline_scores_without_a_drift_report(trained, tmp_path: Path):
    from mlops.pipelines.artifacts import artifacts

    model = Path(shutil.copytree(trained("RandomForest", "binary").model_path, tmp_path / "model"))
    (model / "baseline_statistics.json").unlink()
    artifacts.write_manifest(artifacts.read_manifest(model), model)
    result = score(model, build_table(50), tmp_path / "scored")
    assert result.drift_report is None
    assert {path.name for path in (tmp_path / "scored" / "out").iterdir()} == {
        "predictions.csv",
        "data_quality.json",
    }


def test_a_tampered_model_scores_nothing(trained, tmp_path: Path):
    model = Path(shutil.copytree(trained("RandomForest", "binary").model_path, tmp_path / "model"))
    (model / "schema.json").write_text("{}")
    with pytest.raises(ArtifactError):
        InferencePipeline(model)
