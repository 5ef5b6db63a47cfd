"""Closing a candidate: its status, one email, one event, however often it is called."""

from __future__ import annotations

import json

import pytest

from functions.decline_model import app
from mlops.infrastructure.aws.clients import client
from mlops.models.registry import Status
from tests.functions.approval_stage import GROUP


@pytest.fixture
def decline(stage, repository):

    def run(name: str = "decline_model.json", **changes) -> dict:
        event = json.loads((repository / "events" / name).read_text())
        return stage.handle(app, event | changes)

    return run


def test_a_rejected_version_is_closed_with_its_reason_and_a_mail(stage, decline):
    stage.register()
    assert decline() == {"group": GROUP, "version": "v1.0.0", "status": "Rejected"}
    model = stage.registry.get_model(GROUP, "v1.0.0")
    assert (model.status_changed_by, model.status_reason) == (
        "link of ada@example.com",
        "It predicts worse for older people.",
    )
    mail = stage.emails(stage.notifications)[0]
    assert mail["subject"] == f"{GROUP} v1.0.0 was rejected"
    assert "It predicts worse for older people." in mail["body"]
    assert "No model is in service yet." in mail["body"]


def test_an_expired_version_is_counted(stage, decline):
    stage.register()
    assert decline("decline_model.expired.json")["status"] == "Expired"
    metrics = client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {"ApprovalsExpired"}
    assert "No one decided in time" in stage.emails(stage.notifications)[0]["body"]


def test_declining_again_changes_nothing_and_notifies_again(stage, decline):
    """The call before may have died between the change and the email."""
    stage.register()
    decline()
    entries = stage.registry.audit(GROUP)
    assert decline()["status"] == "Rejected"
    assert decline("decline_model.expired.json")["status"] == "Rejected"
    assert stage.registry.audit(GROUP) == entries
    assert {mail["subject"] for mail in stage.emails(stage.notifications)} == {f"{GROUP} v1.0.0 was rejected"}


def test_a_superseded_version_stays_superseded(stage, decline):
    stage.register()
    stage.registry.supersede(GROUP, "v1.0.0", reason="v1.0.1 is newer.")
    assert decline()["status"] == "Superseded"
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.SUPERSEDED
    (mail,) = stage.emails(stage.notifications)
    assert mail["subject"] == f"{GROUP} v1.0.0 was superseded"
