"""What a deployment reads from the account before it builds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from deployment.account import Account, Deployed
from deployment.errors import DeploymentError

REPOSITORY = Path(__file__).resolve().parents[3]
REGION = "eu-west-1"


@contextmanager
def answering(service: str) -> Iterator[tuple[Account, Stubber]]:
    """An account with prepared answers of one service, which are checked against its definition."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client(service)
    with Stubber(client) as answers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "client", lambda name: {service: client}[name])
        yield Account(session), answers


def a_stack(status: str) -> dict:
    parameter = {"ParameterKey": "ApproverEmail", "ParameterValue": "me@example.com"}
    stack = {"StackName": "mlops", "CreationTime": "2026-01-01", "StackStatus": status}
    tag = {"Key": "team", "Value": "risk"}
    return {"Stacks": [{**stack, "Parameters": [parameter], "Tags": [tag]}]}


def test_a_stack_has_no_parameters_before_the_first_deployment() -> None:
    with answering("cloudformation") as (account, answers):
        answers.add_client_error("describe_stacks", "ValidationError", "Stack with id mlops does not exist")
        answers.add_response("describe_stacks", a_stack("REVIEW_IN_PROGRESS"))
        assert account.deployed("mlops") is None
        assert account.deployed("mlops") is None


def test_the_parameters_and_the_tags_of_a_deployed_stack_are_returned() -> None:
    with answering("cloudformation") as (account, answers):
        answers.add_response("describe_stacks", a_stack("UPDATE_ROLLBACK_COMPLETE"), {"StackName": "mlops"})
        assert account.deployed("mlops") == Deployed({"ApproverEmail": "me@example.com"}, {"team": "risk"})


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_a_stack_that_was_never_created_must_be_deleted_first(status: str) -> None:
    with answering("cloudformation") as (account, answers):
        answers.add_response("describe_stacks", a_stack(status))
        with pytest.raises(DeploymentError, match=f"sam delete --stack-name mlops --region {REGION}"):
            account.deployed("mlops")


def test_a_stack_that_cannot_be_read_is_not_taken_for_a_new_one() -> None:
    with answering("cloudformation") as (account, answers):
        answers.add_client_error("describe_stacks", "AccessDenied", "not authorized")
        with pytest.raises(DeploymentError, match="cannot be read"):
            account.deployed("mlops")


def test_credentials_that_aws_does_not_accept_are_one_sentence() -> None:
    with answering("sts") as (account, answers):
        answers.add_client_error("get_caller_identity", "ExpiredToken", "The token has expired")
        with pytest.raises(DeploymentError, match=r"do not work in eu-west-1.*expired"):
            account.check_credentials()


def make_deploy(folder: Path, *variables: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make deploy` by someone without any AWS settings, with an empty standard input."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        ["make", "--no-print-directory", "deploy", *variables],
        cwd=REPOSITORY,
        env={**inherited, "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_says_in_one_sentence_that_credentials_or_a_region_are_missing(tmp_path: Path) -> None:
    without_region = make_deploy(tmp_path, "APPROVER=me@example.com")
    without_credentials = make_deploy(tmp_path, "APPROVER=me@example.com", "CONFIG=prod", f"REGION={REGION}")
    assert without_region.returncode != 0
    assert without_region.stderr.splitlines()[0].startswith("No region is set: add REGION=")
    assert without_credentials.returncode != 0
    assert without_credentials.stderr.splitlines()[0].startswith("No AWS credentials were found: sign in")
