"""A small AWS on moto in which a candidate waits for approval, with a real execution behind its token."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from mlops.approval.emails import NewChampion, mail_promotion
from mlops.approval.pages.approval_page import ApprovalPage
from mlops.approval.pages.rollback_page import RollbackPage
from mlops.approval.policy.changes import set_policy
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import RotatingKeys
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate, DataFindings, ModelMetadata
from mlops.models.settings.group import ApprovalSettings, GroupSettings
from mlops.models.training import (
    ChampionComparison,
    EvaluationMetrics,
    GateResult,
    MetricComparison,
)
from tests.policies import POLICY_VARIABLES

REGION = "us-east-1"
GROUP = "medication-adherence"
BASE_URL = "https://api.example.com/approvals"
ROLLBACK_URL = "https://api.example.com/rollbacks"
KEY = "k" * 64
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn:f", aws_request_id="r"
)

# The interpreter of moto knows no JSONata without an extra package, so this one state is in JSONPath.
_WAITING_MACHINE = {
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "", "MessageBody.$": "$$.Task.Token"},
            "TimeoutSeconds": 600,
            "End": True,
        }
    },
}


@dataclass
class Clock:
    """A clock that tests move."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


def a_candidate(**changes: Any) -> Candidate:
    comparison = ChampionComparison(
        champion_version="v1.0.0",
        comparable=True,
        n_rows=400,
        metrics={
            "average_precision": MetricComparison(0.61, 0.55, 0.06, (0.02, 0.10)),
            "roc_auc": MetricComparison(0.78, 0.77, 0.01, (-0.012, 0.032)),
        },
    )
    candidate = Candidate(
        algorithm="RandomForest",
        hyperparameters={"n_estimators": 100, "max_depth": 10},
        metrics=EvaluationMetrics(
            average_precision=0.61,
            roc_auc=0.78,
            balanced_accuracy=0.7,
            task="binary",
            n_rows=400,
            primary="average_precision",
            intervals={"average_precision": (0.56, 0.66), "roc_auc": (0.75, 0.81)},
            dummy={"average_precision": 0.2, "roc_auc": 0.5, "balanced_accuracy": 0.5},
        ),
        dataset_version="5f2a" * 16,
        artifact=Artifact("s3://artifacts/training/g/j/output/model.tar.gz", "a" * 64, "version-1"),
        features=("age", "region", "visits"),
        target="off_treatment",
        task="binary",
        comparison=comparison,
        gate=GateResult(
            passed=True, reasons=("average_precision 0.6100 is above the no-skill model's 0.2000.",)
        ),
        feature_importance={"visits": 0.083, "age": 0.041, "region": 0.002},
        data=DataFindings(
            "warn",
            2000,
            ({"severity": "warn", "column": "region", "message": "3 % of the values are missing."},),
        ),
        warnings=("visits alone predicts the target with AUC 0.71.",),
    )
    return replace(candidate, **changes)


class Stage:
    """Everything that asking and answering needs, and what came out of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.topic = client("sns").create_topic(Name="approval")["TopicArn"]
        self.notifications = client("sns").create_topic(Name="notifications")["TopicArn"]
        self.secret = client("secretsmanager").create_secret(Name="keys", SecretString="{}")["ARN"]
        self.rotate(current=KEY)
        self.kms_key = client("kms").create_key()["KeyMetadata"]["Arn"]
        self.queue = client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
        client("s3").create_bucket(Bucket="artifacts")
        client("s3").put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        self.machine = self.create_machine("waiting", seconds=600)
        self.variables = self._environment()
        self.keys = RotatingKeys(lambda: read_secret(self.secret), clock=itertools.count(0, 3600).__next__)
        parts = Dependencies("test", self.variables, now=self.clock)
        self.signer = LinkSigner(self.keys)
        parts.link_signer = self.signer
        self.registry, self.service, self.rollbacks = parts.registry, parts.approvals, parts.rollbacks
        self.completion = parts.completion
        self.table, self.objects, self.notifier = parts.approvals.table, parts.objects, parts.notifier
        self.mailer, self.rollback_mailer = parts.approval_mailer, parts.rollback_mailer
        self.shadow = parts.shadow_archive
        self.page = ApprovalPage(self.service, self.objects, self.signer, self.shadow)
        self.rollback_page = RollbackPage(self.rollbacks, self.signer)

    def handle(self, app: ModuleType, event: dict[str, Any]) -> dict[str, Any]:
        """Run a handler on the resources of the stage as a new worker does, with the real clock."""
        answer: dict[str, Any] = app.handler(
            event, CONTEXT, dependencies=Dependencies(app.DEPENDENCIES.actor, self.variables)
        )
        return answer

    def rotate(self, **keys: str) -> None:
        client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=json.dumps(keys))

    def subscribe(self, *emails: str) -> None:
        """Make these the approvers of the stack, with confirmed subscriptions."""
        approvers = [*self.variables["APPROVER_EMAILS"].split(","), *emails]
        self.variables["APPROVER_EMAILS"] = ",".join(dict.fromkeys(approvers))
        self.subscribe_to_topic(*emails)

    def subscribe_to_topic(self, *emails: str) -> None:
        for email in emails:
            client("sns").subscribe(TopicArn=self.topic, Protocol="email", Endpoint=email)

    def register(self, **changes: Any) -> ModelMetadata:
        return self.registry.register(GROUP, a_candidate(**changes)).model

    def promote_two(self) -> None:
        """Put v1.0.1 into service after v1.0.0, both with artifacts that are there."""
        for number in range(2):
            content = f"model {number}".encode()
            key = f"training/g/{number}/output/model.tar.gz"
            stored = client("s3").put_object(Bucket="artifacts", Key=key, Body=content)
            digest = hashlib.sha256(content).hexdigest()
            artifact = Artifact(f"s3://artifacts/{key}", digest, stored["VersionId"])
            version = self.register(artifact=artifact, dataset_version=f"d{number}").version
            self.registry.approve_model(GROUP, version, by="ada", reason="good")
            self.registry.promote_model(GROUP, version, by="ada", reason="good")

    def allow_automatic_approval(self) -> None:
        """Let the stack and the policy of the group permit what model.toml may request."""
        self.variables["ALLOW_AUTOMATIC_APPROVAL"] = "on"
        self.set_policy(automatic=True)

    def set_policy(self, **changes: Any) -> None:
        policies = Dependencies("test", self.variables).policies
        changed = replace(policies.store.get(GROUP), **changes)
        set_policy(policies, changed, by="grace", reason="a test", now=self.clock())

    def settings(self, **approval: Any) -> GroupSettings:
        return GroupSettings(approval=ApprovalSettings(**approval))

    def start_waiting(self, name: str = "run-1") -> tuple[str, str]:
        """Start an execution that waits; return its ARN and its task token."""
        states = client("stepfunctions")
        arn = states.start_execution(stateMachineArn=self.machine, name=name, input="{}")["executionArn"]
        messages = poll(
            lambda: client("sqs").receive_message(QueueUrl=self.queue).get("Messages"), "no task token came"
        )
        client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=messages[0]["ReceiptHandle"])
        return arn, messages[0]["Body"]

    def ask(self, model: ModelMetadata, *, run: str = "run-1", timeout_seconds: int = 3600) -> list[str]:
        """Run the function that asks, for a waiting execution; return the links in the emails."""
        arn, token = self.start_waiting(run)
        event = {
            "group": model.model_group,
            "version": model.version,
            "task_token": token,
            "execution_arn": arn,
            "timeout_seconds": timeout_seconds,
        }
        return self.invoke_request(event)

    def invoke_request(self, event: dict[str, Any]) -> list[str]:
        from functions.request_approval import app

        before = len(self.emails())
        self.handle(app, event)
        bodies = [mail["body"] for mail in self.emails()[before:]]
        return [re.search(rf"^{BASE_URL}/\S+$", body, re.MULTILINE)[0] for body in bodies]

    def emails(self, topic: str | None = None) -> list[dict[str, Any]]:
        sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[topic or self.topic].sent_notifications
        return [
            {"body": body, "subject": subject, "attributes": attributes}
            for _, body, subject, attributes, *_ in sent
        ]

    def execution(self, run: str = "run-1") -> dict[str, Any]:
        """Wait until the execution has ended and return what is known of it."""
        arn = f"{self.machine.replace(':stateMachine:', ':execution:')}:{run}"

        def ended() -> Any:
            actual = client("stepfunctions").describe_execution(executionArn=arn)
            return actual if actual["status"] != "RUNNING" else None

        return poll(ended, f"{run} is still running")

    def is_running(self, run: str = "run-1") -> bool:
        arn = f"{self.machine.replace(':stateMachine:', ':execution:')}:{run}"
        return client("stepfunctions").describe_execution(executionArn=arn)["status"] == "RUNNING"

    def offer_rollback(self, *approvers: str) -> list[str]:
        """Put v1.0.1 into service after v1.0.0; return the links in the emails about it."""
        self.promote_two()
        self.subscribe(*approvers)
        news = NewChampion(GROUP, "v1.0.1", "link of ada@example.com", "A summary.", "v1.0.0")
        before = len(self.emails())
        mail_promotion(news, self.rollbacks, self.rollback_mailer)
        bodies = [mail["body"] for mail in self.emails()[before:]]
        return [re.search(rf"^{ROLLBACK_URL}/\S+$", body, re.MULTILINE)[0] for body in bodies]

    def http_request(self, link: str, method: str = "GET", *, query: str = "", **more: Any) -> dict[str, Any]:
        """Open a link on the page that it leads to."""
        if link.startswith(ROLLBACK_URL):
            token = link.removeprefix(f"{ROLLBACK_URL}/")
            event = an_http_event(token, method, query=query, route="/rollbacks/{token}", **more)
            return self.rollback_page.reply(event)
        token = link.removeprefix(f"{BASE_URL}/")
        return self.page.reply(an_http_event(token, method, query=query, **more))

    def nonce(self, link: str) -> str:
        """Return the nonce of the page behind a link; empty when it has no form."""
        actual = re.search(r'name="nonce" value="([^"]*)"', self.http_request(link)["body"])
        return actual[1] if actual else ""

    def post(self, link: str, **changes: Any) -> dict[str, Any]:
        """Fill in the form of the page as it is and send it; None leaves a field out."""
        form = {"nonce": changes.get("nonce") or self.nonce(link), "reason": "", "version": "v1.0.0"}
        if not link.startswith(ROLLBACK_URL):
            form["decision"] = "approved"
        headers = changes.pop("headers", {})
        form |= changes
        body = urlencode({name: value for name, value in form.items() if value is not None})
        return self.http_request(link, "POST", body=body, headers=headers)

    def request_of(self, version: str) -> Any:
        return self.table.get(self.registry.get_model(GROUP, version).approval_request)

    def create_machine(self, name: str, *, seconds: int) -> str:
        """Create a machine whose one state waits that long for an answer, and fails then."""
        definition = json.loads(json.dumps(_WAITING_MACHINE))
        definition["States"]["Wait"]["Parameters"]["QueueUrl"] = self.queue
        definition["States"]["Wait"]["TimeoutSeconds"] = seconds
        return client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/r"
        )["stateMachineArn"]

    def _environment(self) -> dict[str, str]:
        return {
            **POLICY_VARIABLES,
            "APPROVER_EMAILS": "ada@example.com",
            "APPROVAL_BASE_URL": BASE_URL,
            "ROLLBACK_BASE_URL": ROLLBACK_URL,
            "APPROVAL_SIGNING_SECRET_ARN": self.secret,
            "APPROVAL_TABLE_NAME": "approvals",
            "APPROVAL_TOPIC_ARN": self.topic,
            "ARTIFACT_BUCKET_NAME": "artifacts",
            "EVENT_BUS_NAME": "default",
            "METRICS_NAMESPACE": "MLOps/test",
            "NOTIFICATION_TOPIC_ARN": self.notifications,
            "REGISTRY_TABLE_NAME": "registry",
            "FEATURE_TABLE_NAME": "features",
            "TASK_TOKEN_KEY_ARN": self.kms_key,
        }


def an_http_event(
    token: str,
    method: str = "GET",
    *,
    query: str = "",
    body: str = "",
    headers: Any = None,
    route: str = "/approvals/{token}",
) -> dict[str, Any]:
    """An event of payload format 2.0 as API Gateway sends it."""
    path = route.replace("{token}", token)
    return {
        "version": "2.0",
        "routeKey": f"{method} {route}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": "api.example.com",
            "content-type": "application/x-www-form-urlencoded",
            **(headers or {}),
        },
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "pathParameters": {"token": token},
        "body": body,
        "isBase64Encoded": False,
    }


def poll(look: Any, message: str, seconds: float = 10.0) -> Any:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        actual = look()
        if actual:
            return actual
        time.sleep(0.02)
    raise AssertionError(message)


def a_tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@contextmanager
def moto_with_executions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto, interpreting state machines for real."""
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client.cache_clear()
    boto3.DEFAULT_SESSION = None
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield
    client.cache_clear()
