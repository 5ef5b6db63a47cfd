"""Registering a finished training job: evidence, digest, gate, once per job."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from functions.register_model import app
from mlops.errors import ArtifactError
from mlops.infrastructure.clients import client
from mlops.models.drift import BaselineStatistics
from mlops.models.group_settings import GroupSettings
from mlops.models.registry import Status
from mlops.models.training import EvaluationMetrics, TrainingResult
from tests.functions.approval_stage import CONTEXT, GROUP, a_tar

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
def event(stage, repository, monkeypatch) -> dict:
    monkeypatch.setenv("ARTIFACT_BUCKET_NAME", BUCKET)
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    app.dependencies.cache_clear()
    return json.loads((repository / "events/register_model.json").read_text())


def finish_job(event: dict, output: bytes, model: bytes = b"a model") -> str:
    """Put what a training job leaves behind; return the version id of the model."""
    key = event["training_job"]["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    client("s3").put_object(Bucket=BUCKET, Key=key.replace("model.tar", "output.tar"), Body=output)
    return client("s3").put_object(Bucket=BUCKET, Key=key, Body=model)["VersionId"]


def test_a_good_model_is_registered_with_digest_lineage_and_evidence(stage, event):
    version_id = finish_job(event, a_tar(documents()))
    answer = app.handler(event, CONTEXT)
    assert (answer["version"], answer["status"], answer["gate"]["passed"]) == ("v1.0.0", "Registered", True)
    assert answer["summary"] == f"{GROUP} v1.0.0: RandomForest with roc_auc 0.8000."
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
    answer = app.handler(event, CONTEXT)
    assert (answer["status"], answer["gate"]["passed"]) == ("RejectedByGate", False)
    assert answer["gate"]["reasons"]
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.REJECTED_BY_GATE


def test_the_same_job_registers_one_version(stage, event):
    finish_job(event, a_tar(documents()))
    assert app.handler(event, CONTEXT) == app.handler(event, CONTEXT)
    assert len(stage.registry.list_models(GROUP)) == 1
    stored = client("s3").list_object_versions(Bucket=BUCKET, Prefix="models/")["Versions"]
    assert len(stored) == 2


def test_the_model_card_is_kept_beside_the_version_as_a_page(stage, event):
    card = b"<!doctype html><title>Model card</title>"
    files = {**documents(), "model_card.html": card, "evaluation_details.json": b"{}", "other.html": b"no"}
    finish_job(event, a_tar(files))
    app.handler(event, CONTEXT)
    page = client("s3").get_object(Bucket=BUCKET, Key=f"models/{GROUP}/v1.0.0/model_card.html")
    assert (page["Body"].read(), page["ContentType"]) == (card, "text/html")
    kept = client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"models/{GROUP}/v1.0.0/")["Contents"]
    assert not any(entry["Key"].endswith("other.html") for entry in kept)


def test_a_call_that_died_after_the_registration_is_completed(stage, event):
    finish_job(event, a_tar(documents()))
    app.handler(event, CONTEXT)
    key = f"models/{GROUP}/v1.0.0/baseline_statistics.json"
    client("s3").delete_object(Bucket=BUCKET, Key=key)
    app.handler(event, CONTEXT)
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
    ("output", "told"),
    [
        (b"not a tar", "no readable tar.gz"),
        (a_tar({"readme.txt": b"hi"}), "has no training_result.json"),
        (a_tar({"../training_result.json": b"{}"}), "has no training_result.json"),
        (a_tar({"/training_result.json": b"{}"}), "has no training_result.json"),
        (a_tar({"training_result.json": b"{}"}), "cannot be read"),
        (a_tar({"training_result.json": b"\xff{"}), "cannot be read"),
        (a_tar({"training_result.json": b"[" * 100_000}), "cannot be read"),
        (a_tar(documents())[:400], "no readable tar.gz"),
        (a_link("training_result.json"), "a link or a device"),
        (a_duplicate(), "twice"),
        (a_tar({f"{index}.txt": b"" for index in range(1001)}), "more than it may"),
    ],
    ids=["text", "nothing", "parent", "root", "empty", "binary", "deep", "cut", "link", "duplicate", "many"],
)
def test_an_output_that_is_not_ours_is_refused_and_nothing_registered(stage, event, output, told):
    finish_job(event, output)
    with pytest.raises(ArtifactError, match=told):
        app.handler(event, CONTEXT)
    assert stage.registry.groups() == []


def test_output_that_lies_under_data_is_found(stage, event):
    finish_job(event, a_tar({f"./data/{name}": content for name, content in documents().items()}))
    assert app.handler(event, CONTEXT)["version"] == "v1.0.0"
