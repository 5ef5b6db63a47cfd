"""What is done about requests without a link, by the rules of the page."""

from __future__ import annotations

import json

import pytest

from mlops.approval.administration import answer_by_command, list_pending, reopen, resend_email
from mlops.infrastructure.aws.clients import client
from mlops.models.approval import RequestStatus
from mlops.models.errors import ApprovalClosedError, ApprovalError
from mlops.models.registry import DataFindings, Status
from tests.functions.approval_stage import BASE_URL, GROUP

CYD = "arn:aws:sts::123456789012:assumed-role/Engineer/Cyd@example.com"
ROBOT = "arn:aws:iam::123456789012:user/robot"


def answer(stage, actor: str, choice: str = "approved", reason: str = "good"):
    return answer_by_command(stage.service, GROUP, "v1.0.0", choice, actor=actor, reason=reason)


def test_what_waits_is_listed_the_oldest_first(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    from tests.functions.approval_stage import a_candidate

    stage.ask(stage.registry.register("another", a_candidate()).model, run="run-2")
    assert [request.group for request in list_pending(stage.service)] == [GROUP, "another"]
    assert [request.group for request in list_pending(stage.service, "another")] == ["another"]
    stage.clock.advance(hours=2)
    assert list_pending(stage.service) == []


def test_a_yes_by_command_answers_the_execution_and_says_how_it_came(stage):
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    assert answer(stage, ROBOT).request.status is RequestStatus.DECIDED
    output = json.loads(stage.execution()["output"])
    assert (output["decision"], output["decided_by"]) == ("approved", f"command line of {ROBOT}")
    assert f"command line of {ROBOT}" in stage.http_request(link)["body"]


def test_a_session_named_after_an_approver_is_that_approver(stage):
    stage.subscribe("ada@example.com", "cyd@example.com")
    ada, cyd = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    assert answer(stage, CYD).request.decision is None
    assert "1 of 2 approvals are in" in stage.http_request(ada)["body"]
    with pytest.raises(ApprovalError, match="did not count"):
        answer(stage, CYD)
    assert stage.post(cyd)["statusCode"] in (401, 409)  # cyd has answered
    assert stage.is_running()
    stage.post(ada)
    decided_by = json.loads(stage.execution()["output"])["decided_by"]
    assert decided_by == "command line of cyd@example.com, link of ada@example.com"


def test_a_stranger_cannot_be_anybodys_second_yes_but_can_say_no(stage):
    stage.subscribe("ada@example.com", "cyd@example.com")
    stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    with pytest.raises(ApprovalError, match="needs the answer of its approvers") as refused:
        answer(stage, ROBOT)
    assert f"and this is {ROBOT}" in str(refused.value)
    assert "profile.approver.role_session_name YOUR_ADDRESS" in str(refused.value)
    assert "AWS_PROFILE=approver mlops approve " in str(refused.value)
    assert answer(stage, ROBOT, "rejected", "leaks").request.decision.decision == "rejected"


def test_a_stranger_cannot_be_the_other_one_whom_an_uploader_needs(stage):
    stage.subscribe("ada@example.com", "cyd@example.com")
    stage.ask(stage.register(data=DataFindings(uploader=ROBOT)))
    with pytest.raises(ApprovalError, match="needs the answer of its approvers"):
        answer(stage, ROBOT)
    assert answer(stage, CYD).request.status is RequestStatus.DECIDED


def test_an_answer_needs_a_reason_and_an_open_request(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    for reason in (" ", "\u200b"):
        with pytest.raises(ApprovalError, match="a reason is needed"):
            answer(stage, ROBOT, reason=reason)
    stage.clock.advance(hours=2)
    with pytest.raises(ApprovalClosedError, match="does not wait for a decision"):
        answer(stage, ROBOT)


def test_a_lost_email_is_sent_again_to_those_who_have_not_answered(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    stage.post(ada)
    assert resend_email(stage.service, stage.mailer, GROUP, "v1.0.0") == 1
    lines = stage.emails()[-1]["body"].splitlines()
    fresh = next(line for line in lines if line.startswith(BASE_URL))
    assert (stage.http_request(fresh)["statusCode"], stage.http_request(bob)["statusCode"]) == (200, 200)


@pytest.fixture
def expired(stage) -> str:
    """The link to a version that has expired."""
    stage.machine = stage.create_machine("impatient", seconds=1)
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    stage.execution()
    stage.registry.expire(GROUP, "v1.0.0", by="time limit")
    stage.service.close(stage.request_of("v1.0.0"))
    return link


def reopened(stage) -> str:
    return reopen(stage.service, stage.machine, GROUP, "v1.0.0", actor="ada", reason="was away")


def test_an_expired_version_is_asked_about_again_by_one_execution(stage, expired):
    stage.machine = stage.create_machine("again", seconds=600)
    first, second = reopened(stage), reopened(stage)
    assert first == second
    described = client("stepfunctions").describe_execution(executionArn=first)
    assert json.loads(described["input"])["version"] == "v1.0.0"
    last = stage.registry.audit(GROUP)[-1]
    assert (last.action, last.by, last.reason) == ("reopen", "ada", "was away")


def test_the_old_link_stays_dead_and_the_new_one_decides(stage, expired):
    stage.machine = stage.create_machine("again", seconds=600)
    client("sqs").purge_queue(QueueUrl=stage.queue)
    stage.registry.reopen(GROUP, "v1.0.0", by="ada", reason="was away")
    link = stage.ask(stage.registry.get_model(GROUP, "v1.0.0"))[0]
    assert stage.http_request(expired)["statusCode"] == 410
    assert stage.post(link)["statusCode"] == 303
    assert json.loads(stage.execution()["output"])["decision"] == "approved"


def test_what_has_not_expired_or_is_overtaken_is_not_asked_about_again(stage, expired):
    newer = stage.register(dataset_version="d2").version
    stage.registry.approve_model(GROUP, newer)
    with pytest.raises(ApprovalError, match=r"v1\.0\.1 is newer and Approved"):
        reopened(stage)
    with pytest.raises(ApprovalError, match="it is Approved: `mlops promote"):
        reopen(stage.service, stage.machine, GROUP, newer, actor="ada", reason="why not")
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.EXPIRED
