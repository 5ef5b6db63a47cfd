"""The ConvertUpload function over moto: the sample event, the wiring, what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.convert_upload import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload, parse_s3_event

CONTEXT = SimpleNamespace(
    function_name="convert_upload",
    function_version="1",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:convert_upload",
    aws_request_id="1",
)
JSON_LINES = "".join(f'{{"id": "P{i}", "age": {20 + i % 50}, "left": {i % 2}}}\n' for i in range(80))
type Convert = Callable[[dict[str, Any]], dict[str, Any]]


class RecordingDependencies(Dependencies):
    """The dependencies of the function, with a list in place of the function that it starts."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__("convert_upload", variables)
        self.started: list[Upload] = []

    @property
    def lambda_client(self) -> Any:
        def invoke(*, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
            assert (FunctionName, InvocationType) == ("receive-upload", "Event")
            self.started.append(parse_s3_event(json.loads(Payload)))

        return SimpleNamespace(invoke=invoke)


@pytest.fixture
def dependencies(registry_table: str) -> RecordingDependencies:
    for bucket in ("data-bucket", "artifact-bucket"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    names = {"ARTIFACT_BUCKET_NAME": "artifact-bucket", "RECEIVE_UPLOAD_FUNCTION_NAME": "receive-upload"}
    return RecordingDependencies(names)


def requested(repository: Path, content: bytes) -> dict[str, Any]:
    """The sample event, after its object was really put into the bucket."""
    event: dict[str, Any] = json.loads((repository / "events" / "convert_upload.json").read_text("utf-8"))
    upload = event["detail"]["upload"]
    answer = client("s3").put_object(Bucket=upload["bucket"], Key=upload["key"], Body=content)
    upload |= {"version_id": answer["VersionId"], "size_bytes": len(content)}
    return event


def stored() -> list[str]:
    listed = client("s3").list_objects_v2(Bucket="artifact-bucket").get("Contents", [])
    return sorted(entry["Key"].rsplit("/", 1)[-1] for entry in listed)


def test_a_file_is_converted_once_and_given_to_intake_each_time(
    dependencies: RecordingDependencies, repository: Path
) -> None:
    event = requested(repository, JSON_LINES.encode())
    first = app.handler(event, CONTEXT, dependencies)
    second = app.handler(event, CONTEXT, dependencies)
    assert first == second
    assert (first["source_format"], first["is_converted"]) == ("json", True)
    assert stored() == ["conversion.json", "converted.csv"]
    versions = client("s3").list_object_versions(Bucket="artifact-bucket")["Versions"]
    assert len(versions) == 2
    assert dependencies.started == [Upload.from_dict(event["detail"]["upload"])] * 2


def test_a_file_that_cannot_be_converted_is_given_to_intake_with_the_reason(
    dependencies: RecordingDependencies, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    event = requested(repository, b'{"id": "canary"}\n{"id": "canary", broken\n')
    result = app.handler(event, CONTEXT, dependencies)
    assert (result["rule_ids"], result["is_converted"]) == (["broken_json"], False)
    assert stored() == ["conversion.json"]
    assert len(dependencies.started) == 1
    assert "canary" not in repr([vars(record) for record in caplog.records])


def test_an_object_that_was_deleted_is_left_to_intake(
    dependencies: RecordingDependencies, repository: Path
) -> None:
    event = requested(repository, JSON_LINES.encode())
    upload = Upload.from_dict(event["detail"]["upload"])
    client("s3").delete_object(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)
    assert app.handler(event, CONTEXT, dependencies)["source_format"] is None
    assert stored() == []
    assert dependencies.started == [upload]
