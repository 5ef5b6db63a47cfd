"""The function as EventBridge Scheduler starts it, on moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.recover_uploads import app
from mlops.infrastructure.aws.clients import client
from mlops.intake.uploads import new_record
from mlops.models.intake.uploads import DigestEntry
from tests.functions.uploads_stage import BUCKET, UploadsStage


@pytest.fixture
def queue(uploads: UploadsStage) -> str:
    """A queue that receives what is published to the subscribers of notifications."""
    url: str = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    client("sns").subscribe(
        TopicArn=uploads.variables["NOTIFICATION_TOPIC_ARN"], Protocol="sqs", Endpoint=arn
    )
    return url


def later(**parts: float) -> str:
    return (datetime.now(UTC) + timedelta(**parts)).isoformat()


def the_email(queue: str) -> dict[str, str]:
    """Return the one email that was sent."""
    (message,) = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    email: dict[str, str] = json.loads(message["Body"])
    return email


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
    uploads: UploadsStage, repository: Path
) -> None:
    event = json.loads((repository / "events/recover_uploads.json").read_text("utf-8"))
    upload = uploads.drop("g/training/a+b c%20é=.csv")
    swept = uploads.handle(app, event | {"scheduled_at": later(days=1)})
    assert (swept["n_looked_at"], swept["n_recovered"], swept["waiting"]) == (1, 1, [])
    assert uploads.started == [upload]
    assert (metric("UploadsRecovered"), metric("UploadSweepsCompleted")) == (1, 1)


def test_a_sweep_without_a_result_still_shows_that_it_ran(uploads: UploadsStage) -> None:
    uploads.handle(app, {"scheduled_at": "2026-10-06T01:00:00Z"})
    assert uploads.started == []
    assert (metric("UploadsRecovered"), metric("UploadSweepsCompleted")) == (0, 1)


def test_an_email_is_sent_about_a_folder_that_was_not_closed(
    uploads: UploadsStage, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    uploads.drop("g/training/march/part-1.csv")
    uploads.handle(app, {"scheduled_at": later(hours=25)})
    email = the_email(queue)
    assert email["Subject"] == "[g] march/ waits to be closed"
    assert "has 1 part," in email["Message"]
    assert "g/training/march/_SUCCESS" in email["Message"]
    assert uploads.started == []
    (logged,) = [str(vars(record)) for record in caplog.records if record.message == "uploads swept"]
    assert "march" not in logged


def test_files_that_got_no_email_of_their_own_are_in_one_digest(uploads: UploadsStage, queue: str) -> None:
    for number in range(3):
        upload = uploads.drop(f"g/train/{number}.csv")
        entry = DigestEntry("g", f"{upload.key}: why")
        uploads.versions.record_upload(new_record(upload, "ignored", datetime.now(UTC), digest=entry))
    for _ in range(2):
        uploads.handle(app, {"scheduled_at": later(days=1)})
    email = the_email(queue)
    assert email["Subject"] == "[g] 3 files were not used"
    assert all(f"g/train/{number}.csv" in email["Message"] for number in range(3))
    assert uploads.started == []


@pytest.mark.parametrize(("days", "n_left"), [("0", 1), ("30", 0)])
def test_uploads_are_deleted_after_the_days_of_the_parameter(
    uploads: UploadsStage, days: str, n_left: int
) -> None:
    upload = uploads.drop("g/training/a.csv")
    uploads.versions.record_upload(new_record(upload, "accepted", datetime.now(UTC)))
    uploads.handle(app, {"scheduled_at": later(days=31)}, UPLOAD_RETENTION_DAYS=days)
    assert len(client("s3").list_object_versions(Bucket=BUCKET).get("Versions", [])) == n_left
