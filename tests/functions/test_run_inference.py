"""The function that scores an upload, on moto, with the sample event pointed at real objects."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.pipelines.artifacts.archive import pack, sha256_of
from mlops.pipelines.training_pipeline import TrainingPipeline

CONTEXT = SimpleNamespace(
    function_name="run-inference",
    memory_limit_in_mb=2048,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:run-inference",
    aws_request_id="request",
)


@pytest.fixture(scope="module")
def archive(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mlops.models.settings.group import GroupSettings

    folder = tmp_path_factory.mktemp("model")
    example = repository / "examples" / "medication-adherence"
    settings = GroupSettings.from_toml((example / "model.toml").read_text())
    TrainingPipeline(settings).execute(example / "train.csv", folder / "model")
    pack(folder / "model", folder / "model.tar.gz")
    return folder / "model.tar.gz"


@pytest.fixture
def topic(aws) -> str:
    return client("sns").create_topic(Name="notifications")["TopicArn"]


@pytest.fixture
def app(aws, topic: str, repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARTIFACT_BUCKET_NAME", "artifact-bucket")
    monkeypatch.setenv("NOTIFICATION_TOPIC_ARN", topic)
    monkeypatch.setenv("EVENT_BUS_NAME", "default")
    monkeypatch.setenv("METRICS_NAMESPACE", "Mlops")
    path = repository / "functions" / "run_inference" / "app.py"
    spec = importlib.util.spec_from_file_location("run_inference_app", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def event(aws, repository: Path, archive: Path) -> dict:
    """The sample event, with the versions that the objects really have."""
    document = json.loads((repository / "events" / "run_inference.json").read_text())
    s3 = client("s3")
    for bucket in ("artifact-bucket", "data-bucket"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    artifact = document["model"]["artifact"]
    key = artifact["uri"].removeprefix("s3://artifact-bucket/")
    stored = s3.put_object(Bucket="artifact-bucket", Key=key, Body=archive.read_bytes())
    artifact.update(sha256=sha256_of(archive), version_id=stored["VersionId"])
    rows = (repository / "examples" / "medication-adherence" / "score.csv").read_bytes()
    upload = document["upload"]
    stored = s3.put_object(Bucket="data-bucket", Key=upload["key"], Body=rows)
    upload["version_id"] = stored["VersionId"]
    return document


def test_run_inference_scores_the_upload_and_tells_everybody(app, event: dict):
    answer = app.handler(event, CONTEXT)
    assert answer["n_rows"] == 247
    assert answer["drift_verdict"] == "OK"
    assert set(answer) == {
        "group",
        "batch_id",
        "n_rows",
        "predictions_uri",
        "report_uri",
        "drift_verdict",
        "drift_score",
        "features_with_drift",
    }
    key = answer["predictions_uri"].removeprefix("s3://artifact-bucket/")
    content = client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read().decode()
    assert content.splitlines()[0] == "patient_id,prediction,probability,model_version"
    assert len(content.splitlines()) == 248
    metrics = client("cloudwatch").list_metrics(Namespace="Mlops")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} >= {"RowsScored", "DriftScore", "FeaturesWithDrift"}


def test_run_inference_answers_a_duplicate_without_scoring_again(app, event: dict):
    first = app.handler(event, CONTEXT)
    before = client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"]
    assert app.handler(event, CONTEXT) == first
    assert client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"] == before
