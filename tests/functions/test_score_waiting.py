"""The function as EventBridge starts it for a new champion, on moto; starts of intake are recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.score_waiting import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload, parse_s3_event
from mlops.models.intake.uploads import UploadRecord, UploadState

BUCKET, GROUP = "data", "medication-adherence"
NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
CONTEXT = SimpleNamespace(
    function_name="score-waiting",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:score-waiting",
    aws_request_id="1",
)


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    variables = {
        "DATA_BUCKET_NAME": BUCKET,
        "RECEIVE_UPLOAD_FUNCTION_NAME": "intake",
        "REGISTRY_TABLE_NAME": registry_table,
    }
    return Dependencies("score_waiting", variables)


def dropped(dependencies: Dependencies, name: str, state: UploadState, *, group: str = GROUP) -> Upload:
    key = f"{group}/inference/{name}"
    version = client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"a,b\n1,2\n")["VersionId"]
    upload = Upload(BUCKET, key, version, 8)
    record = UploadRecord(group, upload.upload_id, key, version, state, NOW, purpose="inference")
    dependencies.versions.record_upload(record)
    return upload


def test_only_the_files_of_the_group_that_wait_are_handed_to_intake(
    dependencies: Dependencies, repository: Path
) -> None:
    calls: list[dict[str, Any]] = []
    dependencies.lambda_client = SimpleNamespace(invoke=lambda **call: calls.append(call))
    waiting = dropped(dependencies, "a b+é.csv", "waiting")
    deleted = dropped(dependencies, "gone.csv", "waiting")
    dropped(dependencies, "scored.csv", "accepted")
    dropped(dependencies, "other.csv", "waiting", group="other")
    client("s3").delete_object(Bucket=BUCKET, Key=deleted.key, VersionId=str(deleted.version_id))
    event = json.loads((repository / "events/score_waiting.json").read_text("utf-8"))
    assert app.handler(event, CONTEXT, dependencies=dependencies) == {"group": GROUP, "n_started": 1}
    assert [parse_s3_event(json.loads(call["Payload"])) for call in calls] == [waiting]
    assert (calls[0]["FunctionName"], calls[0]["InvocationType"]) == ("intake", "Event")
