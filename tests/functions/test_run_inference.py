"""The function that scores an upload, on moto, with the sample event pointed at real objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.run_inference import app
from mlops.context.dependencies import Dependencies
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
def score(aws) -> Callable[[dict], dict]:
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "Mlops",
        "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="notifications")["TopicArn"],
        "RESULT_BASE_URL": "https://api.example.com/results",
        "RESULT_SIGNING_SECRET_ARN": client("secretsmanager").create_secret(
            Name="results", SecretString=json.dumps({"current": "k" * 64})
        )["ARN"],
    }
    dependencies = Dependencies("run_inference", variables)
    return lambda event: app.handler(event, CONTEXT, dependencies=dependencies)


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


def test_run_inference_scores_the_upload_and_notifies_people(score, event: dict):
    answer = score(event)
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
        "file_name",
        "model_version",
        "manifest_uri",
        "row_statuses",
    }
    key = answer["predictions_uri"].removeprefix("s3://artifact-bucket/")
    content = client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read().decode()
    assert content.splitlines()[0] == (
        "row,patient_id,prediction,probability_0,probability_1,row_status,model_version"
    )
    assert len(content.splitlines()) == 248
    metrics = client("cloudwatch").list_metrics(Namespace="Mlops")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} >= {"RowsScored", "DriftScore", "FeaturesWithDrift"}


def test_run_inference_answers_a_duplicate_without_scoring_again(score, event: dict):
    first = score(event)
    before = client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"]
    assert score(event) == first
    assert client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"] == before
