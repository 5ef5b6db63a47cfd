"""Approval and rollback on the deployed stack: reminders, lost answers, asking again, and the way back."""

from __future__ import annotations

import pytest

from local.cloud import HttpAnswer
from local.stack import APPROVER, DeployedStack, approval_link
from tests.e2e.approvals import message, operating, rollback_link
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e


def test_a_reminder_brings_a_link_that_works(stack: DeployedStack, reminder: dict) -> None:
    assert "still waits for your decision" in " ".join(reminder["body"].split())
    assert approval_link(reminder) in reminder["body"].splitlines()


def test_an_abandoned_candidate_expires_and_people_are_told(expiry_mail: dict) -> None:
    assert "has ended" in expiry_mail["body"]
    assert "mlops reopen abandoned v1.0.0" in expiry_mail["body"]


def test_an_expired_version_is_asked_about_again_and_approved_by_command(
    stack: DeployedStack, asked_again: tuple[HttpAnswer, Walk]
) -> None:
    card, ended = asked_again
    assert card.status == 404
    assert ended.states == [
        "Trained before?",
        "Ask again",
        "Request approval",
        "Approved?",
        "Promote model",
        "Mail promotion",
        "Model approved",
    ]
    with operating(stack) as operator:
        actions = [(entry.action, entry.by) for entry in operator.registry.audit("abandoned")]
        assert operator.registry.champion("abandoned").version == "v1.0.0"
    assert [action for action, _ in actions][-4:] == ["reopen", "request approval", "approve", "promote"]
    assert actions[-1][1].startswith("command line of arn:aws:")


def test_a_decision_that_was_lost_on_its_way_arrives(late_delivery: Walk) -> None:
    assert late_delivery.states[-1] == "Rejected by reviewer"


def test_the_page_shows_the_card_behind_the_same_link(stack: DeployedStack, champion: Walk) -> None:
    mail = stack.wait_for_email(lambda m: m["subject"].startswith(f"Approve {GROUP} v1.0.0"), "approval")
    link = approval_link(mail)
    card = stack.cloud.request("GET", f"{link}/card")
    assert card.status == 200
    assert GROUP in card.text
    assert stack.cloud.request("POST", f"{link}/card", b"decision=approved").status in (404, 405)


def test_the_mail_about_a_new_champion_has_a_way_back(
    stack: DeployedStack, rolled_back: tuple[dict, HttpAnswer]
) -> None:
    mail, page = rolled_back
    assert mail["to"] == APPROVER
    assert rollback_link(mail) in mail["body"].splitlines()
    assert "v1.0.0 is in service again." in message(page.text)
    again = stack.wait_for_email(lambda m: m["subject"].startswith("Rolled back: ways v1.0.0"), "rollback")
    assert "Worse than before." in again["body"]


def test_a_rollback_that_was_lost_is_carried_out_and_an_impossible_one_refused(
    stack: DeployedStack, late_rollback: HttpAnswer
) -> None:
    assert late_rollback.status == 409
    assert "does not exist any more" in late_rollback.text
    with operating(stack) as operator:
        assert operator.registry.champion("ways").version == "v1.0.1"
