"""Versions on the stage in every state that a decision, its request and its execution can be in."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from mlops.approval.administration import promote_by_command
from mlops.approval.quorum import count_answer
from mlops.approval.watch_approvals import watch_requests
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.stepfunctions import execution_status, has_ended
from mlops.models.approval import Answer, ApprovalDecision
from mlops.models.objects import Artifact
from mlops.models.registry import ModelMetadata, Status
from tests.functions.approval_stage import GROUP, Stage, poll

NAME = "v1.0.0"
ROBOT = "arn:aws:iam::123456789012:user/robot"


def stored(content: bytes = b"a model", key: str = "training/g/j/output/model.tar.gz") -> Artifact:
    answer = client("s3").put_object(Bucket="artifacts", Key=key, Body=content)
    return Artifact(f"s3://artifacts/{key}", hashlib.sha256(content).hexdigest(), answer["VersionId"])


def ask(stage: Stage, **changes: object) -> str:
    """Register a version and request its approval."""
    stage.subscribe("ada@example.com")
    model = stage.register(artifact=stored(), **changes)
    return stage.ask(model, run=f"run-{model.version}", timeout_seconds=10**6)[0]


def decide(stage: Stage, choice: str = "approved", version: str = NAME) -> ApprovalDecision:
    """Store a decision, as a request does that dies before it delivers it."""
    answer = Answer("ada@example.com", choice, "good", stage.clock())
    decided = count_answer(stage.request_of(version), answer)
    assert stage.table.put(decided)
    return decided.decision


def die(stage: Stage, version: str = NAME) -> None:
    """End the execution of a version, if it still runs, without its having done anything."""
    stage.clock.advance(minutes=1)
    request, states = stage.request_of(version), client("stepfunctions")
    with suppress(states.exceptions.ClientError):
        states.send_task_failure(taskToken=stage.service.unseal(request)["task_token"], error="Killed")
    poll(lambda: has_ended(execution_status(request.execution_arn)), "the execution still runs")
    stage.clock.advance(minutes=2)


def watch(stage: Stage) -> list[ModelMetadata]:
    """Run the scheduled round as often as it takes to do all that is due; return what has expired."""
    expired: list[ModelMetadata] = []
    for _ in range(3):
        stage.clock.advance(minutes=30)
        summary = watch_requests(stage.completion, stage.mailer, expired.append)
        assert summary.faults == ()
    return expired


def status(stage: Stage, version: str = NAME) -> Status:
    return stage.registry.get_model(GROUP, version).status


def promote(stage: Stage, version: str = NAME) -> ModelMetadata:
    return promote_by_command(stage.completion, GROUP, version, actor=ROBOT, reason="Its execution died.")


def in_registered(stage: Stage) -> None:
    stage.register(artifact=stored())


def in_pending(stage: Stage) -> None:
    ask(stage)


def in_decided(stage: Stage) -> None:
    ask(stage)
    decide(stage)


def in_delivered(stage: Stage) -> None:
    ask(stage)
    decide(stage)
    stage.clock.advance(minutes=2)
    watch_requests(stage.completion, stage.mailer, [].append)


def in_rejected(stage: Stage) -> None:
    ask(stage)
    decide(stage, "rejected")


def in_approved(stage: Stage) -> None:
    in_decided(stage)
    stage.registry.approve_model(GROUP, NAME)


def in_approved_without_request(stage: Stage) -> None:
    in_registered(stage)
    stage.registry.approve_model(GROUP, NAME)


def in_expired(stage: Stage) -> None:
    ask(stage)
    stage.registry.expire(GROUP, NAME, by="time limit")


def in_expired_after_a_decision(stage: Stage) -> None:
    in_decided(stage)
    stage.registry.expire(GROUP, NAME, by="time limit")


def in_half_reopened(stage: Stage) -> None:
    in_expired(stage)
    stage.registry.reopen(GROUP, NAME, reason="was away")
