"""The function as EventBridge Scheduler starts it, on moto; starts of intake are recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.recover_uploads import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload, parse_s3_event
from mlops.intake.uploads import new_record
from mlops.models.intake.uploads import DigestEntry

BUCKET = "data"
CONTEXT = SimpleNamespace(
    function_name="recover-uploads",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:recover-uploads",
    aws_request_id="1",
)


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    variables = {
        "DATA_BUCKET_NAME": BUCKET,
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "Trial",
        "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="news")["TopicArn"],
        "RECEIVE_UPLOAD_FUNCTION_NAME": "intake",
        "REGISTRY_TABLE_NAME": registry_table,
    }
    return Dependencies("recover_uploads", variables)


@pytest.fixture
def started(dependencies: Dependencies) -> list[dict[str, Any]]:
    """The calls that start other functions; moto would run these in containers."""
    calls: list[dict[str, Any]] = []
    dependencies.lambda_client = SimpleNamespace(invoke=lambda **call: calls.append(call))
    return calls


def sweep(dependencies: Dependencies, event: dict[str, Any]) -> dict[str, Any]:
    swept: dict[str, Any] = app.handler(event, CONTEXT, dependencies=dependencies)
    return swept


def metric(name: str) -> float:
    now = datetime.now(UTC)
    answer = client("cloudwatch").get_metric_statistics(
        Namespace="Trial",
        MetricName=name,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=86400,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_an_upload_without_a_record_is_handed_to_intake_as_its_event_would_have(
    dependencies: Dependencies, started: list[dict[str, Any]], repository: Path
) -> None:
    event = json.loads((repository / "events/recover_uploads.json").read_text("utf-8"))
    key = "g/training/a+b c%20é=.csv"
    version = client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"a,b\n1,2\n")["VersionId"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    swept = sweep(dependencies, event | {"scheduled_at": tomorrow})
    assert (swept["n_looked_at"], swept["n_recovered"], swept["waiting"]) == (1, 1, [])
    (call,) = started
    upload = parse_s3_event(json.loads(call["Payload"]))
    assert (upload.bucket, upload.key, upload.version_id, upload.size_bytes) == (BUCKET, key, version, 8)
    assert (call["FunctionName"], call["InvocationType"]) == ("intake", "Event")
    assert (metric("UploadsRecovered"), metric("UploadSweepsCompleted")) == (1, 1)


def test_a_sweep_without_a_result_still_shows_that_it_ran(
    dependencies: Dependencies, started: list[dict[str, Any]]
) -> None:
    sweep(dependencies, {"scheduled_at": "2026-10-06T01:00:00Z"})
    assert started == []
    assert (metric("UploadsRecovered"), metric("UploadSweepsCompleted")) == (0, 1)


def test_an_email_is_sent_about_a_folder_that_was_not_closed(
    dependencies: Dependencies, started: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="g/training/march/part-1.csv", Body=b"a,b\n1,2\n")
    queue = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    (topic,) = client("sns").list_topics()["Topics"]
    arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    client("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
    later = (datetime.now(UTC) + timedelta(hours=25)).isoformat()
    sweep(dependencies, {"scheduled_at": later})
    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    mail = json.loads(message["Body"])
    assert mail["Subject"] == "[g] march/ waits to be closed"
    assert "has 1 part," in mail["Message"]
    assert "g/training/march/_SUCCESS" in mail["Message"]
    assert started == []
    (logged,) = [str(vars(record)) for record in caplog.records if record.message == "uploads swept"]
    assert "march" not in logged


def test_files_that_got_no_email_of_their_own_are_in_one_digest(
    dependencies: Dependencies, started: list[dict[str, Any]]
) -> None:
    queue = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    (topic,) = client("sns").list_topics()["Topics"]
    arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    client("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn)
    for number in range(3):
        key = f"g/train/{number}.csv"
        version = client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"a,b\n1,2\n")["VersionId"]
        upload = Upload(BUCKET, key, version, 8)
        ignored = new_record(upload, "ignored", datetime.now(UTC), digest=DigestEntry("g", f"{key}: why"))
        dependencies.versions.record_upload(ignored)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for _ in range(2):
        sweep(dependencies, {"scheduled_at": tomorrow})
    (message,) = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    mail = json.loads(message["Body"])
    assert mail["Subject"] == "[g] 3 files were not used"
    assert all(f"g/train/{number}.csv" in mail["Message"] for number in range(3))
    assert started == []


@pytest.mark.parametrize(("days", "n_left"), [("0", 1), ("30", 0)])
def test_uploads_are_deleted_after_the_days_of_the_parameter(
    dependencies: Dependencies, started: list[dict[str, Any]], days: str, n_left: int
) -> None:
    key = "g/training/a.csv"
    version = client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"a,b\n1,2\n")["VersionId"]
    dependencies.versions.record_upload(
        new_record(Upload(BUCKET, key, version, 8), "accepted", datetime.now(UTC))
    )
    variables = {**dependencies.variables, "UPLOAD_RETENTION_DAYS": days}
    later = (datetime.now(UTC) + timedelta(days=31)).isoformat()
    sweep(Dependencies("recover_uploads", variables), {"scheduled_at": later})
    assert len(client("s3").list_object_versions(Bucket=BUCKET).get("Versions", [])) == n_left
