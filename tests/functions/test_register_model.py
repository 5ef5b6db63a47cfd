"""Registering a finished training job: evidence, digest, gate, once per job."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from functions.register_model import app
from mlops.experiment.factory import stack_runs
from mlops.experiment.training_runs import record_failed_training
from mlops.infrastructure.aws.clients import client
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.errors import ArtifactError
from mlops.models.evaluation import CalibrationBin, EvaluationDetails, SliceScore
from mlops.models.experiment import RunFailure
from mlops.models.registry import ModelMetadata, Status, TrainingJob
from mlops.models.settings.group import GroupSettings
from mlops.models.training import (
    ChampionComparison,
    DatasetChanges,
    EvaluationMetrics,
    FeatureShift,
    MetricComparison,
    TrainingResult,
)
from tests.functions.approval_stage import GROUP, a_tar

BUCKET = "mlops-artifacts"
BASELINE = BaselineStatistics(features={}, n_rows=1600, schema_hash="s")


def a_result(**changes) -> TrainingResult:
    values = {
        "metrics": EvaluationMetrics(
            roc_auc=0.8,
            task="binary",
            n_rows=400,
            primary="roc_auc",
            intervals={"roc_auc": (0.75, 0.85)},
            dummy={"roc_auc": 0.5},
        ),
        "baseline": BASELINE,
        "model_path": Path("/opt/ml/model"),
        "baseline_path": Path("/opt/ml/model/baseline_statistics.json"),
        "algorithm": "RandomForest",
        "hyperparameters": {"n_estimators": 100},
        "settings": GroupSettings(),
        "task": "binary",
        "target": "off_treatment",
        "features": ("age", "region"),
        "dropped_columns": {},
        "n_rows_train": 1600,
        "n_rows_test": 400,
        "library_versions": {"scikit-learn": "1.9.0"},
        "dataset_digest": "5f2a" * 16,
    }
    return TrainingResult(**values | changes)


def documents(**changes) -> dict[str, bytes]:
    return {
        "training_result.json": a_result(**changes).to_json().encode(),
        "baseline_statistics.json": BASELINE.to_json().encode(),
    }


@pytest.fixture
def event(stage, repository) -> dict:
    stage.variables["ARTIFACT_BUCKET_NAME"] = BUCKET
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return json.loads((repository / "events/register_model.json").read_text())


def finish_job(event: dict, output: bytes, model: bytes = b"a model") -> str:
    """Put what a training job leaves behind; return the version id of the model."""
    key = event["training_job"]["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    client("s3").put_object(Bucket=BUCKET, Key=key.replace("model.tar", "output.tar"), Body=output)
    return client("s3").put_object(Bucket=BUCKET, Key=key, Body=model)["VersionId"]


def test_a_good_model_is_registered_with_digest_lineage_and_evidence(stage, event):
    version_id = finish_job(event, a_tar(documents()))
    answer = stage.handle(app, event)
    assert (answer["version"], answer["status"], answer["gate"]["passed"]) == ("v1.0.0", "Registered", True)
    assert answer["summary"] == f"{GROUP} v1.0.0: RandomForest with ROC AUC 0.8000."
    model = stage.registry.get_model(GROUP, "v1.0.0")
    assert (model.artifact.sha256, model.artifact.version_id) == (
        hashlib.sha256(b"a model").hexdigest(),
        version_id,
    )
    assert (model.features, model.target, model.data.n_rows) == (("age", "region"), "off_treatment", 2000)
    assert model.training_job.billable_seconds == 120
    assert model.training_job.started_at.isoformat() == "2026-03-01T10:00:00+00:00"
    assert model.source.digest == "ab" * 32
    assert stage.registry.load_baseline_statistics(GROUP, "v1.0.0") == BASELINE


@pytest.mark.parametrize(("name", "is_compiled"), [("compiled.npz", True), ("model.skops", False)])
def test_a_version_says_whether_its_model_has_a_compiled_form(stage, event, name: str, is_compiled: bool):
    manifest = json.dumps({"files": {name: "0" * 64}}).encode()
    finish_job(event, a_tar({**documents(), "manifest.json": manifest}))
    stage.handle(app, event)
    assert stage.registry.list_models(GROUP)[0].is_compiled is is_compiled


def test_a_model_no_better_than_chance_is_registered_as_refused(stage, event):
    weak = EvaluationMetrics(
        roc_auc=0.51,
        task="binary",
        n_rows=400,
        primary="roc_auc",
        intervals={"roc_auc": (0.45, 0.57)},
        dummy={"roc_auc": 0.5},
    )
    finish_job(event, a_tar(documents(metrics=weak)))
    answer = stage.handle(app, event)
    assert (answer["status"], answer["gate"]["passed"]) == ("RejectedByGate", False)
    assert answer["gate"]["reasons"]
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.REJECTED_BY_GATE


def promote(stage, event) -> None:
    """Register the model of a job, and put it into service."""
    finish_job(event, a_tar(documents()))
    stage.handle(app, event)
    stage.registry.request_approval(GROUP, "v1.0.0", "hash")
    stage.registry.approve_model(GROUP, "v1.0.0", by="ada", reason="good")
    stage.registry.promote_model(GROUP, "v1.0.0", by="ada", reason="good")


def register_next(stage, event, number: int, comparison: ChampionComparison | None) -> ModelMetadata:
    """Register the model of another job."""
    job = event["training_job"]
    name = f"job-{number}"
    event["training_job"] = job | {"TrainingJobName": name, "TrainingJobArn": f"arn:{name}"}
    finish_job(event, a_tar(documents(comparison=comparison)))
    return stage.registry.get_model(GROUP, stage.handle(app, event)["version"])


def a_comparison(difference: float, first_key: int = 0) -> ChampionComparison:
    compared = MetricComparison(0.8, 0.8 - difference, difference, (difference - 0.02, difference + 0.02))
    keys = tuple(range(first_key, first_key + 2_000, 10))
    return ChampionComparison("v1.0.0", True, None, 400, {"roc_auc": compared}, looked_at=keys)


def test_each_registered_comparison_on_the_same_rows_is_counted(stage, event):
    promote(stage, event)
    models = [register_next(stage, event, number, a_comparison(0.0)) for number in range(3)]
    assert [model.comparison.looks for model in models] == [1.0, 2.0, 3.0]
    assert "(comparison 3 on them)" in models[-1].gate.reasons[1]
    assert register_next(stage, event, 2, a_comparison(0.0)).comparison.looks == 3.0  # the same job again
    assert register_next(stage, event, 9, a_comparison(0.0, first_key=5)).comparison.looks == 1.0


def test_a_training_without_a_comparison_with_the_champion_of_now_is_judged_by_the_stored_score(stage, event):
    promote(stage, event)
    for number, comparison in enumerate((None, replace(a_comparison(0.1), champion_version="v0.9.0"))):
        model = register_next(stage, event, number, comparison)
        assert model.gate.requires_person
        assert model.comparison.stored["roc_auc"].value == 0.8
        assert "before v1.0.0 came into service" in model.gate.reasons[1]


@pytest.mark.parametrize("score", [0.8, 0.51], ids=["passed", "refused"])
def test_every_training_is_a_run_once_also_one_that_its_gate_refuses(stage, event, score: float):
    metrics = replace(a_result().metrics, roc_auc=score, intervals={"roc_auc": (score - 0.06, score + 0.06)})
    finish_job(event, a_tar(documents(metrics=metrics)))
    stage.handle(app, event)
    stage.handle(app, event)
    (run,) = stack_runs("registry", BUCKET).runs(GROUP)
    assert (run.run_id, run.tags["model_version"]) == (event["training_job"]["TrainingJobName"], "v1.0.0")
    assert run.tags["gate"] == ("passed" if score == 0.8 else "rejected")
    assert run.metrics["roc_auc"] == score


def test_a_second_attempt_after_a_failed_one_makes_one_version_and_two_runs(stage, event):
    job = event["training_job"]
    first = TrainingJob("medication-adherence-3f1c9a52b7d0-0-0", "arn:first")
    failure = RunFailure("CapacityError", "No machine.")
    runs = stack_runs("registry", BUCKET)
    record_failed_training(runs, group=GROUP, job=first, failure=failure, at=datetime.now(UTC))
    name = "medication-adherence-3f1c9a52b7d0-1-0"
    job["TrainingJobName"], job["TrainingJobArn"] = name, job["TrainingJobArn"].replace(first.name, name)
    finish_job(event, a_tar(documents()))
    stage.handle(app, event)
    stage.handle(app, event)
    assert [model.version for model in stage.registry.list_models(GROUP)] == ["v1.0.0"]
    assert {run.run_id: run.status.value for run in runs.runs(GROUP)} == {
        first.name: "failed",
        name: "finished",
    }


def test_the_actual_cost_is_recorded_with_the_estimate(stage, event):
    event["prepared"] |= {"usd_per_hour": 0.115, "estimated_cost_usd": 0.009583}
    finish_job(event, a_tar(documents()))
    stage.handle(app, event)
    job = stage.registry.get_model(GROUP, "v1.0.0").training_job
    assert (job.estimated_cost_usd, job.actual_cost_usd) == (
        0.009583,
        pytest.approx(120 / 3600 * 0.115, abs=1e-6),
    )
    assert "$0.0038" in kept("model_card.html")[0]


def test_the_same_job_registers_one_version(stage, event):
    finish_job(event, a_tar(documents()))
    assert stage.handle(app, event) == stage.handle(app, event)
    assert len(stage.registry.list_models(GROUP)) == 1
    stored = client("s3").list_object_versions(Bucket=BUCKET, Prefix="models/")["Versions"]
    assert sorted(entry["Key"].rsplit("/")[-1] for entry in stored) == [
        "baseline_statistics.json",
        "model_card.html",
        "training_result.json",
    ]


def kept(name: str) -> tuple[str, str]:
    answer = client("s3").get_object(Bucket=BUCKET, Key=f"models/{GROUP}/v1.0.0/{name}")
    return answer["Body"].read().decode(), answer["ContentType"]


def test_the_card_names_version_lineage_changes_and_cost(stage, event):
    event["validation"]["uploader"] = "AROA:<ana>"
    changes = DatasetChanges("v0.9.0", 1500, 2000, "WARN", 0.15, ("age: median 41 -> <b>55</b>",))
    finish_job(
        event, a_tar({**documents(changes=changes), "model_card.html": b"the job's own", "other.html": b"no"})
    )
    stage.handle(app, event)
    page, content_type = kept("model_card.html")
    assert content_type.startswith("text/html")
    for message in (
        f"Model card: {GROUP} v1.0.0",
        "Passes its gate.",
        "s3://mlops-data/medication-adherence/training/march.csv (version 7)",
        "AROA:&lt;ana&gt;",
        "5f2a" * 16,
        "ab" * 32,
        "sagemaker-scikit-learn:1.9-0-cpu-py3",
        "Against the file of v0.9.0: 1,500 rows then, 2,000 now. Verdict: WARN, drift score 0.15.",
        "median 41 -&gt; &lt;b&gt;55&lt;/b&gt;",
        "2 min 00 s",
    ):
        assert message in page, message
    assert not any("other.html" in key for key in kept_keys())


def test_the_plots_are_files_of_their_own_and_the_version_names_them(stage, event):
    curve = ((0.0, 0.0), (0.2, 0.7), (1.0, 1.0))
    details = EvaluationDetails(
        roc={"yes": curve},
        precision_recall={"yes": curve},
        calibration=(CalibrationBin(0.2, 0.25, 100), CalibrationBin(0.8, 0.7, 100)),
        slices=(SliceScore("<script>", "a&b", 50, 0.6, (0.5, 0.7)),),
    )
    matrix = {"labels": ("no", "<i>yes</i>"), "confusion_matrix": ((30, 10), (5, 55)), "threshold": 0.4}
    files = documents(
        metrics=replace(a_result().metrics, **matrix),
        feature_importance={"</svg><script>": 0.2},
        changes=DatasetChanges(
            "v0.9.0", 1500, 2000, "ALERT", shifts=(FeatureShift('"><script>', 0.31, "ALERT"),)
        ),
    )
    files["evaluation_details.json"] = details.to_json().encode()
    finish_job(event, a_tar(files))
    stage.handle(app, event)
    names = stage.registry.get_model(GROUP, "v1.0.0").plots
    expected = ("roc", "precision_recall", "calibration", "confusion", "importance", "slices", "drift")
    assert names == expected
    for name in names:
        text, content_type = kept(f"plots/{name}.svg")
        assert content_type == "image/svg+xml"
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "style", "line", "polyline", "circle", "rect", "text", "title"}
    page, _ = kept("model_card.html")
    assert "<script" not in page
    assert "<i>yes" not in page


def kept_keys() -> list[str]:
    listed = client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"models/{GROUP}/v1.0.0/")["Contents"]
    return [entry["Key"] for entry in listed]


def test_a_call_that_died_after_the_registration_is_completed(stage, event):
    finish_job(event, a_tar(documents()))
    stage.handle(app, event)
    key = f"models/{GROUP}/v1.0.0/baseline_statistics.json"
    client("s3").delete_object(Bucket=BUCKET, Key=key)
    stage.handle(app, event)
    assert stage.registry.load_baseline_statistics(GROUP, "v1.0.0") == BASELINE


def a_link(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return stream.getvalue()


def a_duplicate() -> bytes:
    one = gzip.decompress(a_tar({"training_result.json": documents()["training_result.json"]}))
    return gzip.compress(one.rstrip(b"\0").ljust(-(-len(one.rstrip(b"\0")) // 512) * 512, b"\0") + one)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (b"not a tar", "not a readable tar.gz"),
        (a_tar({"readme.txt": b"hi"}), "has no training_result.json"),
        (a_tar({"../training_result.json": b"{}"}), "has no training_result.json"),
        (a_tar({"/training_result.json": b"{}"}), "has no training_result.json"),
        (a_tar({"training_result.json": b"{}"}), "cannot be read"),
        (a_tar({"training_result.json": b"\xff{"}), "cannot be read"),
        (a_tar({"training_result.json": b"[" * 100_000}), "cannot be read"),
        (a_tar(documents())[:400], "not a readable tar.gz"),
        (a_link("training_result.json"), "a link or a device"),
        (a_duplicate(), "twice"),
        (a_tar({f"{index}.txt": b"" for index in range(1001)}), "too large when it is unpacked"),
    ],
    ids=["text", "nothing", "parent", "root", "empty", "binary", "deep", "cut", "link", "duplicate", "many"],
)
def test_an_output_that_is_not_ours_is_refused_and_nothing_registered(stage, event, output, message):
    finish_job(event, output)
    with pytest.raises(ArtifactError, match=message):
        stage.handle(app, event)
    assert stage.registry.groups() == []


def test_output_under_data_is_read(stage, event):
    finish_job(event, a_tar({f"./data/{name}": content for name, content in documents().items()}))
    assert stage.handle(app, event)["version"] == "v1.0.0"
