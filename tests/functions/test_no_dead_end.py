"""From every state of a version, whatever happens, a round or a command leads to an end.

Every status that a version can have, with every state that its request and its execution can be in, is walked
through every event; then the advice of the commands is followed.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from mlops.approval.administration import answer_by_command, reopen
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import MlopsError
from mlops.models.registry import Status
from mlops.registry.promotion import decline, promote_approved
from tests.functions.approval_stage import GROUP, Stage, poll
from tests.functions.decision_stage import (
    NAME,
    ROBOT,
    die,
    in_approved,
    in_approved_without_request,
    in_decided,
    in_delivered,
    in_expired,
    in_expired_after_a_decision,
    in_half_reopened,
    in_pending,
    in_registered,
    in_rejected,
    promote,
    status,
    stored,
    watch,
)

ENDS = {Status.CHAMPION, Status.REJECTED, Status.REJECTED_BY_GATE, Status.SUPERSEDED, Status.ARCHIVED}
STATES = [
    in_registered,
    in_pending,
    in_decided,
    in_delivered,
    in_rejected,
    in_approved,
    in_approved_without_request,
    in_expired,
    in_expired_after_a_decision,
    in_half_reopened,
]


def nothing(stage: Stage) -> None:
    """Time passes."""


def approve_by_command(stage: Stage) -> None:
    answer_by_command(stage.service, GROUP, NAME, "approved", actor=ROBOT, reason="good")


def reject_by_command(stage: Stage) -> None:
    answer_by_command(stage.service, GROUP, NAME, "rejected", actor=ROBOT, reason="bad")


def deliver(stage: Stage) -> None:
    request = stage.request_of(NAME)
    if request is not None:
        stage.service.deliver(request)


def register_newer(stage: Stage) -> None:
    """A newer candidate requests approval, and supersedes what waits."""
    newer = stage.register(artifact=stored(b"newer", "training/g/k/model.tar.gz"), dataset_version="d2")
    stage.registry.request_approval(GROUP, newer.version, "another request")
    model = stage.registry.get_model(GROUP, NAME)
    if model.status is Status.PENDING_APPROVAL:
        stage.service.supersede(model, by=newer)
    stage.registry.reject_model(GROUP, newer.version, reason="only the older was needed")


def promote_step(stage: Stage) -> None:
    decision = stage.request_of(NAME) and stage.request_of(NAME).decision
    if decision is not None and decision.decision == "approved":
        promote_approved(GROUP, NAME, decision, registry=stage.registry, objects=stage.objects)


def expire_step(stage: Stage) -> None:
    decline(GROUP, NAME, "Expired", registry=stage.registry, by="time limit", reason="")


def reopen_by_command(stage: Stage) -> None:
    stage.machine = stage.create_machine("again", seconds=600)
    reopen(stage.service, stage.machine, GROUP, NAME, actor=ROBOT, reason="was away")
    poll(lambda: client("sqs").receive_message(QueueUrl=stage.queue).get("Messages"), "no task token")


def promote_by_hand(stage: Stage) -> None:
    promote(stage)


def sweep(stage: Stage) -> None:
    watch(stage)


def execution_dies(stage: Stage) -> None:
    if stage.request_of(NAME) is not None:
        die(stage)


EVENTS = [
    nothing,
    approve_by_command,
    reject_by_command,
    deliver,
    register_newer,
    promote_step,
    expire_step,
    reopen_by_command,
    promote_by_hand,
    sweep,
    execution_dies,
]


@pytest.mark.property
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.removeprefix("in_"))
def test_from_every_state_after_every_event_a_command_or_a_round_leads_to_an_end(stage, state, event):
    state(stage)
    was_approved = state in (in_decided, in_delivered, in_approved, in_expired_after_a_decision)
    with suppress(MlopsError):  # what the state refuses
        event(stage)
    if stage.request_of(NAME) is not None:
        die(stage)
    watch(stage)
    way = [status(stage)]
    while way[-1] not in ENDS and len(way) < 4:
        way.append(continue_from(stage, way[-1]))
    assert way[-1] in ENDS, way
    if was_approved and event is not reject_by_command:
        assert way[-1] in (Status.CHAMPION, Status.SUPERSEDED), f"the approval was lost: {way}"


def continue_from(stage: Stage, present: Status) -> Status:
    """Do what the refusals of the commands advise for a status."""
    if present is Status.APPROVED:
        promote(stage)
    elif present is Status.PENDING_APPROVAL:
        approve_by_command(stage)
        die(stage)
        watch(stage)
    else:
        stage.subscribe("ada@example.com")
        stage.machine = stage.create_machine(f"again-{present.value}", seconds=600)
        reopen(stage.service, stage.machine, GROUP, NAME, actor=ROBOT, reason="was away")
        poll(lambda: client("sqs").receive_message(QueueUrl=stage.queue).get("Messages"), "no task token")
        stage.ask(stage.registry.get_model(GROUP, NAME), run="run-again", timeout_seconds=10**6)
    return status(stage)
