"""A person is forgotten on the deployed application, without starting anything again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stack import DeployedStack
from tests.e2e.approvals import run_mlops
from tests.e2e.walks import a_regression_table

pytestmark = pytest.mark.e2e

PERSON = "canary-7"


@pytest.fixture(scope="module")
def removals(stack: DeployedStack) -> list[dict[str, Any]]:
    """What was removed after one file was refused and another one waits for a model."""
    table = a_regression_table(rows=60, seed=8).assign(patient_id=[f"canary-{row}" for row in range(60)])
    refused = table.to_csv(index=False).encode() + b"1,2,3,4,5,6,7,8,9\n"
    stack.drop(refused, "erasure/training/refused.csv")
    stack.wait_for_email(lambda m: "refused.csv was rejected" in m["subject"], "a refusal")
    waiting = table.drop(columns="price").to_csv(index=False).encode()
    stack.drop(waiting, "erasure/inference/waits.csv")
    stack.wait_for_email(lambda m: m["subject"] == "[erasure] waits.csv waits for a model", "waiting")
    arguments = ("forget", "erasure", PERSON, "--column", "patient_id", "--json")
    preview = json.loads(run_mlops(stack, *arguments))["removals"]
    done = json.loads(run_mlops(stack, *arguments, "--yes", "--reason", "request 12"))["removals"]
    assert preview == done
    return list(done)


def test_no_version_in_either_bucket_contains_the_person(
    stack: DeployedStack, removals: list[dict[str, Any]]
) -> None:
    assert [(r["store"], r["action"], r["n_rows"]) for r in removals if r["n_rows"]] == [
        ("uploads", "rewritten", 1),
        ("quarantine", "rewritten", 1),
    ]
    s3 = stack.cloud.client("s3")
    for output, prefix in (("DataBucketName", "erasure/"), ("ArtifactBucketName", "quarantine/erasure/")):
        bucket = stack.outputs[output]
        listed = s3.list_object_versions(Bucket=bucket, Prefix=prefix)["Versions"]
        assert listed
        for version in listed:
            address = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
            assert f"{PERSON}\n".encode() not in s3.get_object(**address)["Body"].read()


def test_the_file_that_waits_is_received_again(stack: DeployedStack, removals: list[dict[str, Any]]) -> None:
    def is_second(mail: dict[str, Any]) -> bool:
        subject = "[erasure] waits.csv waits for a model"
        return sum(m["subject"] == subject for m in stack.cloud.emails()) == 2 and mail["subject"] == subject

    stack.wait_for_email(is_second, "the second email")
