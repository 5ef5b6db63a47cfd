"""A training table that comes in parts: held, validated by a Distributed Map, refused or accepted once."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest

from local.stack import DeployedStack
from tests.e2e.parts_walk import BAD_LINE, BAD_PART, GROUP, N_PARTS, FolderWalk, part_key

pytestmark = pytest.mark.e2e


def test_a_bad_part_is_refused_by_name_and_line_and_all_parts_stay(
    stack: DeployedStack, closed_folder: FolderWalk
) -> None:
    assert f"line {BAD_LINE} of part-{BAD_PART:05d}.csv" in closed_folder.refusal["body"]
    assert closed_folder.refused_states[-3:] == ["Merge parts", "Decided?", "Parts decided"]
    kept = [key.rsplit("/", 1)[1] for key in stack.keys(f"quarantine/{GROUP}/")]
    assert kept == ["_SUCCESS", "report.html", "report.json"]
    s3, bucket = stack.cloud.client("s3"), stack.outputs["DataBucketName"]
    for number in range(N_PARTS):
        assert s3.head_object(Bucket=bucket, Key=part_key(number))["ContentLength"] > 0


def test_the_mended_folder_becomes_one_dataset_and_one_training(
    stack: DeployedStack, closed_folder: FolderWalk
) -> None:
    assert closed_folder.accepted_states == [
        "Read the request",
        "List parts",
        "Parts to survey?",
        "Survey parts",
        "Merge parts",
        "Decided?",
        "Parts decided",
    ]
    (training,) = closed_folder.trainings
    message = stack.cloud.client("stepfunctions").describe_execution(executionArn=training)
    dataset = json.loads(message["input"])["dataset"]
    joined = pd.read_csv(io.BytesIO(stack.read(dataset["key"])))
    pd.testing.assert_frame_equal(joined, closed_folder.table.reset_index(drop=True))


def test_each_part_was_surveyed_as_an_execution_of_its_own(
    stack: DeployedStack, closed_folder: FolderWalk
) -> None:
    client = stack.cloud.client("stepfunctions")
    for validation in closed_folder.validations:
        (run,) = client.list_map_runs(executionArn=validation)["mapRuns"]
        counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
        assert (counts["total"], counts["succeeded"]) == (N_PARTS, N_PARTS)


def test_the_same_parts_closed_again_start_nothing(closed_folder: FolderWalk) -> None:
    assert "No second training was started" in closed_folder.duplicate["body"]


def test_parts_that_are_lost_are_no_fault(lost_parts: dict[str, Any]) -> None:
    assert lost_parts["is_decided"]
    assert (lost_parts["received"]["outcome"], lost_parts["received"]["reason"]) == ("ignored", "deleted")


def test_a_validation_that_fails_is_mailed_with_the_step(
    stack: DeployedStack, failed_validation: str
) -> None:
    assert stack.status(failed_validation) == "FAILED"
    mail = stack.wait_for_email(lambda m: m["subject"] == f"{GROUP}: validation of parts failed", "failure")
    assert "Step: List parts" in mail["body"]
    assert "Traceback" not in mail["body"]


def test_an_email_about_parts_that_were_not_closed_is_sent_the_day_after(open_folder_mail: dict) -> None:
    assert open_folder_mail["subject"] == "[open] march/ waits to be closed"
    assert "open/training/march/_SUCCESS" in open_folder_mail["body"].splitlines()
