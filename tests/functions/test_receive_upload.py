"""The ReceiveUpload function over moto: the sample events, the wiring, what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.receive_upload import app
from mlops.context.dependencies import Dependencies
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from tests.policies import POLICY_VARIABLES

PATIENTS = "patient_id,age,plan,offtrt\n" + "".join(
    f"P{i},{20 + i * 37 % 60},{'abc'[i * 7 % 3]},{int((i * i + i // 3) % 5 < 3)}\n" for i in range(120)
)
type Receive = Callable[[dict[str, Any]], dict[str, Any]]

DEFINITION = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
ROLE = "arn:aws:iam::123456789012:role/any"
CONTEXT = SimpleNamespace(
    function_name="receive_upload",
    function_version="1",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:receive_upload",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 900_000,
)


@pytest.fixture
def variables(registry_table: str) -> dict[str, str]:
    """The environment of the function, with buckets, topic, bus and machines behind its variables."""
    for bucket in ("data-bucket", "artifact-bucket"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    machines = {
        name: client("stepfunctions").create_state_machine(name=name, definition=DEFINITION, roleArn=ROLE)
        for name in ("train_model", "run_inference", "validate_parts")
    }
    queue = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    topic = client("sns").create_topic(Name="emails")["TopicArn"]
    queue_arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn["Attributes"]["QueueArn"])
    return {
        **POLICY_VARIABLES,
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "REGISTRY_TABLE_NAME": registry_table,
        "FEATURE_TABLE_NAME": "features",
        "NOTIFICATION_TOPIC_ARN": topic,
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "mlops",
        "TRAIN_MODEL_STATE_MACHINE_ARN": machines["train_model"]["stateMachineArn"],
        "RUN_INFERENCE_STATE_MACHINE_ARN": machines["run_inference"]["stateMachineArn"],
        "VALIDATE_PARTS_STATE_MACHINE_ARN": machines["validate_parts"]["stateMachineArn"],
    }


@pytest.fixture
def receive(variables: dict[str, str]) -> Receive:
    dependencies = Dependencies("receive_upload", variables)
    return lambda event: app.handler(event, CONTEXT, dependencies=dependencies)


def dropped(repository: Path, name: str, content: str) -> dict[str, Any]:
    """The sample event, after its object was really put into the bucket."""
    event: dict[str, Any] = json.loads((repository / "events" / f"{name}.json").read_text("utf-8"))
    entry = event["detail"]["object"]
    answer = client("s3").put_object(
        Bucket=event["detail"]["bucket"]["name"], Key=entry["key"], Body=content.encode()
    )
    entry["version-id"], entry["size"] = answer["VersionId"], len(content.encode())
    return event


def executions(machine: str) -> list[dict[str, Any]]:
    machines = client("stepfunctions").list_state_machines()["stateMachines"]
    (arn,) = (entry["stateMachineArn"] for entry in machines if entry["name"] == machine)
    listed: list[dict[str, Any]] = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return listed


def emails() -> list[str]:
    url = client("sqs").get_queue_url(QueueName="inbox")["QueueUrl"]
    messages = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"])["Message"] for message in messages]


def test_a_training_file_starts_the_training_machine_once(receive: Receive, repository: Path) -> None:
    event = dropped(repository, "receive_upload", PATIENTS)
    first, second = receive(event), receive(event)
    (execution,) = executions("train_model")
    assert (first["outcome"], execution["name"]) == ("accepted", first["work_id"])
    assert second["is_repeated"]
    described = client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    document = json.loads(described["input"])
    body = client("s3").get_object(Bucket=document["dataset"]["bucket"], Key=document["dataset"]["key"])[
        "Body"
    ]
    assert body.read().decode() == PATIENTS


def test_the_uploader_named_in_the_metadata_travels_with_the_training(
    receive: Receive, repository: Path
) -> None:
    event = dropped(repository, "receive_upload", PATIENTS)
    entry = event["detail"]["object"]
    stored = client("s3").put_object(
        Bucket="data-bucket",
        Key=entry["key"],
        Body=PATIENTS.encode(),
        Metadata={"uploader": "ann@example.org"},
    )
    entry["version-id"] = stored["VersionId"]
    receive(event)
    (execution,) = executions("train_model")
    described = client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"])["validation"]["uploader"] == "ann@example.org"


def test_a_file_without_rows_is_rejected_with_a_mail_and_moved(receive: Receive, repository: Path) -> None:
    event = dropped(repository, "receive_upload.rejected", "\n\n")
    result = receive(event)
    assert (result["outcome"], result["reason"]) == ("rejected", "empty_file")
    assert "empty" in emails()[0]
    left = client("s3").list_object_versions(Bucket="data-bucket")
    assert "Versions" not in left
    assert "DeleteMarkers" not in left
    (upload,) = DatasetVersions(DynamoDBTable("registry")).list_uploads("medication-adherence")
    assert upload.state == "rejected"


def test_a_file_in_a_wrong_folder_stays_there_and_an_email_says_where_it_belongs(
    receive: Receive, repository: Path
) -> None:
    result = receive(dropped(repository, "receive_upload.misplaced", "a,b\n1,2\n"))
    assert (result["outcome"], result["reason"]) == ("ignored", "outside_training_and_inference")
    assert "medication-adherence/training/2026-10.csv" in emails()[0]
    (upload,) = DatasetVersions(DynamoDBTable("registry")).list_uploads("medication-adherence")
    assert (upload.state, upload.is_open) == ("ignored", False)


def test_a_tagged_file_is_taken_in(receive: Receive, repository: Path) -> None:
    event = dropped(repository, "receive_upload", PATIENTS)
    entry = event["detail"]["object"]
    stored = client("s3").put_object(
        Bucket="data-bucket", Key=entry["key"], Body=PATIENTS.encode(), Tagging="project=blue"
    )
    entry["version-id"] = stored["VersionId"]
    assert receive(event)["outcome"] == "accepted"
    (dataset,) = DatasetVersions(DynamoDBTable("registry")).list_datasets("medication-adherence")
    tags = client("s3").get_object_tagging(Bucket=dataset.ref.bucket, Key=dataset.ref.key)
    assert tags["TagSet"] == []


def test_a_scoring_file_without_a_champion_is_rejected(receive: Receive, repository: Path) -> None:
    event = dropped(repository, "receive_upload.inference", PATIENTS)
    assert receive(event)["reason"] == "no_champion"
    assert executions("run_inference") == []


def test_a_closed_folder_starts_the_validation_of_its_parts_once(receive: Receive, repository: Path) -> None:
    event = dropped(repository, "receive_upload.folder", "")
    first, second = receive(event), receive(event)
    assert first["outcome"] == second["outcome"] == "in_progress"
    (execution,) = executions("validate_parts")
    described = client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"])["upload"]["key"].endswith("/_SUCCESS")


def test_logs_hold_no_cell_values(
    receive: Receive, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receive(dropped(repository, "receive_upload", PATIENTS.replace(",20,", ",canary,", 1)))
    logged = repr([vars(record) for record in caplog.records])
    assert "type_mismatch" in logged
    assert "canary" not in logged


@pytest.mark.parametrize("key", ["g/training/my file (1).csv", "g/training/a+b c%20é=.csv"])
def test_keys_arrive_as_they_are(receive: Receive, repository: Path, key: str) -> None:
    event = json.loads((repository / "events" / "receive_upload.json").read_text("utf-8"))
    answer = client("s3").put_object(Bucket="data-bucket", Key=key, Body=PATIENTS.encode())
    event["detail"]["object"] |= {"key": key, "version-id": answer["VersionId"], "size": len(PATIENTS)}
    assert receive(event)["outcome"] == "accepted"
