"""The email about a new champion: a personal way back for each approver, or plain news."""

from __future__ import annotations

import json

import pytest

from functions.mail_promotion import app
from tests.functions.approval_stage import GROUP, ROLLBACK_URL


@pytest.fixture
def mail(stage, repository):
    event = json.loads((repository / "events/mail_promotion.json").read_text())
    return lambda **changes: stage.handle(app, event | changes)


def test_every_approver_gets_a_link_of_their_own(stage, mail):
    stage.promote_two()
    stage.subscribe("ada@example.com", "bob@example.com")
    assert mail()["n_links"] == 2
    bodies = [entry["body"] for entry in stage.emails()]
    links = {line for body in bodies for line in body.splitlines() if line.startswith(ROLLBACK_URL)}
    assert len(links) == 2
    assert {entry["subject"] for entry in stage.emails()} == {f"{GROUP} v1.0.1 is in service"}
    assert max(len(line) for body in bodies for line in body.splitlines() if line not in links) <= 72
    for message in ("it replaces v1.0.0", "Approved by: link of ada@example.com", "Put v1.0.0 back here:"):
        assert message in " ".join(bodies[0].split())
    assert stage.emails(stage.notifications) == []


def test_the_first_champion_has_no_link_to_roll_back(stage, mail):
    stage.subscribe("ada@example.com")
    assert mail(version="v1.0.0", previous_champion=None)["n_links"] == 0
    assert stage.emails() == []
    body = stage.emails(stage.notifications)[0]["body"]
    assert f"{GROUP} v1.0.0 is now the model in service." in body
    assert "https://" not in body


def test_without_a_confirmed_approver_the_email_goes_to_all_subscribers(stage, mail):
    stage.promote_two()
    assert mail()["n_links"] == 0
    assert len(stage.emails(stage.notifications)) == 1
