"""The smoke test: which stacks it refuses, what it removes after a failure, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deployment import removal, smoke
from deployment.account import Account
from deployment.approver_queue import approver_queue
from deployment.errors import DeploymentError
from deployment.removal import remove_stack
from mlops.infrastructure.aws.sns import send_email

REGION = "us-east-1"


@dataclass
class Stacks:
    """CloudFormation with the stacks of this account: a deletion keeps the bucket of a stack."""

    names: list[str] = field(default_factory=list)
    outputs: list[dict[str, str]] = field(default_factory=list)

    def describe_stacks(self, **options: str) -> dict[str, Any]:
        self._check(options["StackName"])
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": self.outputs}]}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **options: str) -> list[dict[str, Any]]:
        name = options["StackName"]
        self._check(name)
        created = {"PhysicalResourceId": f"bucket-of-{name}", "ResourceStatus": "CREATE_COMPLETE"}
        never = {"ResourceType": "AWS::DynamoDB::Table", "ResourceStatus": "CREATE_FAILED"}
        return [{"StackResourceSummaries": [{"ResourceType": "AWS::S3::Bucket", **created}, never]}]

    def delete_stack(self, **options: str) -> None:
        self.names.remove(options["StackName"])

    def get_waiter(self, _: str) -> Any:
        return self

    def wait(self, **_: Any) -> None:
        return None

    def _check(self, name: str) -> None:
        if name not in self.names:
            error = {"Error": {"Code": "ValidationError", "Message": f"Stack {name} does not exist"}}
            raise ClientError(error, "DescribeStacks")  # type: ignore[arg-type]


@dataclass
class Session:
    """A session whose CloudFormation is `stacks`; the other services are those of moto."""

    stacks: Stacks = field(default_factory=Stacks)
    region_name: str = REGION

    def client(self, service: str) -> Any:
        own = boto3.Session(region_name=REGION)
        return self.stacks if service == "cloudformation" else own.client(service)  # type: ignore[call-overload]

    def get_credentials(self) -> str:
        return "some"


@pytest.fixture
def session(aws: None) -> Session:
    return Session()


def make_stack(session: Session, name: str = "mlops-smoke") -> None:
    session.stacks.names.append(name)
    session.client("s3").create_bucket(Bucket=f"bucket-of-{name}")


@pytest.mark.parametrize("name", ["", "mlops", "mlops-prod", "mlops-smoke"])
def test_a_stack_that_is_not_the_own_one_is_refused(session: Session, name: str) -> None:
    make_stack(session)
    with pytest.raises(DeploymentError, match="STACK="):
        smoke.make_smoke_plan(Account(session), name, "me@example.com")


def test_the_plan_is_that_of_a_deployment_under_the_name(session: Session) -> None:
    with pytest.raises(DeploymentError, match="APPROVER="):
        smoke.make_smoke_plan(Account(session), "mlops-smoke", "")
    plan = smoke.make_smoke_plan(Account(session), "mlops-smoke", "me@example.com")
    assert plan.deploy_command[4:6] == ["--stack-name", "mlops-smoke"]
    assert plan.parameters["ApproverEmail"] == "me@example.com"


def test_what_a_deletion_keeps_is_removed_and_other_stacks_stay(session: Session) -> None:
    make_stack(session)
    make_stack(session, "other")
    s3 = session.client("s3")
    bucket = "bucket-of-mlops-smoke"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="a")
    remove_stack(session, "mlops-smoke")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["bucket-of-other"]
    with pytest.raises(Exception, match="does not exist"):
        remove_stack(session, "mlops-smoke")


def test_the_queue_gets_what_the_topic_sends_to_that_approver(session: Session) -> None:
    topic = session.client("sns").create_topic(Name="approval")["TopicArn"]
    with approver_queue(session, "q", topic, "me@example.com") as queue:
        for approver in ("me@example.com", "you@example.com"):
            link = f"https://x.execute-api.amazonaws.com/approvals/{approver[:2]}"
            send_email(topic, f"For {approver}", f"Open\n{link}\n", attributes={"approver": approver})
        emails = queue.receive()
    assert [(email["subject"], email["links"]) for email in emails] == [
        ("For me@example.com", ["https://x.execute-api.amazonaws.com/approvals/me"])
    ]
    assert session.client("sqs").list_queues().get("QueueUrls", []) == []
    assert session.client("sns").list_subscriptions()["Subscriptions"] == []


@pytest.mark.parametrize(("keep", "n_stacks"), [("", 0), ("yes", 1)])
def test_a_failure_ends_with_1_and_the_stack_is_removed_unless_it_is_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys, keep: str, n_stacks: int
) -> None:
    monkeypatch.setattr(smoke, "open_account", lambda _: Account(session))
    monkeypatch.setattr(smoke, "deploy", lambda plan: make_stack(session, plan.stack_name))

    def fail(*_: object) -> None:
        raise DeploymentError("No link came.")

    monkeypatch.setattr(smoke, "_use", fail)
    arguments = ["--stack", "mlops-smoke", "--region", REGION, "--approver", "me@example.com"]
    assert smoke.main([*arguments, "--keep", keep]) == 1
    assert "The smoke test failed: No link came." in capsys.readouterr().err
    assert len(session.stacks.names) == n_stacks


def test_a_bucket_that_a_function_still_writes_to_is_emptied_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_stack(session)
    s3 = session.client("s3")
    empty, rounds = removal._empty, []

    def empty_and_write(client: Any, bucket: str) -> None:
        empty(client, bucket)
        if not rounds:
            s3.put_object(Bucket=bucket, Key="late", Body=b"1")
        rounds.append(bucket)

    monkeypatch.setattr(removal, "_empty", empty_and_write)
    monkeypatch.setattr(removal.time, "sleep", lambda _: None)
    remove_stack(session, "mlops-smoke")
    assert (len(rounds), s3.list_buckets()["Buckets"]) == (2, [])
