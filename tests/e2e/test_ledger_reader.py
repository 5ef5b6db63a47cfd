"""A person who may read predictions, and nothing else: the policy of the output LedgerReaderPolicyArn."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import STACK_NAME, DeployedStack
from tests.conftest import REPOSITORY
from tests.e2e.ledger import rows_of_the_ledger
from tests.e2e.walks import GROUP, Walk
from tests.infrastructure import template as t

pytestmark = pytest.mark.e2e

ROLE = "ledger-reader"
ANYONE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
# AWS checks the workgroup of a query where its id is named; the local cloud knows no resource for it.
OF_A_QUERY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["athena:GetQueryExecution", "athena:GetQueryResults"],
            "Resource": "*",
        }
    ],
}
# The local Athena reads Glue's tables and the bucket itself, and not in the name of the caller. The local
# DynamoDB does not say which keys a query asks for, so that a test of the template covers `ListBatches`.
UNSEEN = {"ReadTheTable", "FindTheBucket", "KeepResults", "ReadPredictions", "ListPredictions"}


@pytest.fixture(scope="module")
def reader(stack: DeployedStack, recorded: tuple[Walk, Walk]) -> dict[str, str]:
    """Credentials of a role that has the policy alone, after predictions were recorded."""
    iam = stack.cloud.client("iam")
    arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(ANYONE))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=stack.outputs["LedgerReaderPolicyArn"])
    iam.put_role_policy(RoleName=ROLE, PolicyName="local", PolicyDocument=json.dumps(OF_A_QUERY))
    return stack.cloud.as_role(arn)


def run_as(stack: DeployedStack, reader: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **stack.cloud.environment(),
        **{name.upper(): value for name, value in reader.items()},
        "PYTHONPATH": str(REPOSITORY / "src"),
    }
    command = [sys.executable, "-m", "mlops", *words, "--stack", STACK_NAME]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_predictions_are_those_that_an_administrator_sees(
    stack: DeployedStack, reader: dict[str, str]
) -> None:
    done = run_as(stack, reader, "predictions", GROUP, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == rows_of_the_ledger(stack)


@pytest.mark.parametrize(
    "words",
    [
        ("groups",),
        ("audit", GROUP),
        ("policy", "show", GROUP),
        ("predict", GROUP, "--row", "{}"),
    ],
    ids=lambda words: words[0],
)
def test_other_commands_are_refused_in_one_sentence(
    words: tuple[str, ...], stack: DeployedStack, reader: dict[str, str]
) -> None:
    done = run_as(stack, reader, *words)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1
    assert "is not authorized" in done.stderr or "AccessDenied" in done.stderr or "403" in done.stderr


CALLS: dict[str, Callable[[DeployedStack, Callable[[str], Any]], object]] = {
    "an uploaded file": lambda stack, client: client("s3").get_object(
        Bucket=stack.outputs["DataBucketName"], Key=f"{GROUP}/training/train.csv"
    ),
    "a model": lambda stack, client: client("s3").get_object(
        Bucket=stack.outputs["ArtifactBucketName"],
        Key=next(key for key in stack.keys("") if key.endswith("/model.tar.gz")),
    ),
    "the list of all objects": lambda stack, client: client("s3").list_objects_v2(
        Bucket=stack.outputs["ArtifactBucketName"]
    ),
    "a file in the ledger": lambda stack, client: client("s3").put_object(
        Bucket=stack.outputs["ArtifactBucketName"], Key=f"ledger/model_group={GROUP}/x.parquet", Body=b""
    ),
    "the removal of predictions": lambda stack, client: client("s3").delete_object(
        Bucket=stack.outputs["ArtifactBucketName"], Key=stack.keys("ledger/")[0]
    ),
    "the whole registry": lambda stack, client: client("dynamodb").scan(
        TableName=stack.outputs["RegistryTableName"]
    ),
    "the approvals": lambda stack, client: client("dynamodb").scan(
        TableName=stack.outputs["ApprovalTableName"]
    ),
    "another workgroup": lambda stack, client: client("athena").start_query_execution(
        QueryString="SELECT 1", WorkGroup="primary"
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_everything_else_is_denied(what: str, stack: DeployedStack, reader: dict[str, str]) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[what](stack, lambda service: stack.cloud.client(service, **reader))
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def test_each_statement_was_needed(stack: DeployedStack, reader: dict[str, str]) -> None:
    needed = {
        d["statements"][0]["sid"]
        for d in stack.cloud.iam_decisions()
        if d["role"] == ROLE and d["allowed"] and len(d["statements"]) == 1
    }
    declared = {statement["Sid"] for owner, statement in t.statements() if owner == "LedgerReader"}
    assert declared - needed == UNSEEN
