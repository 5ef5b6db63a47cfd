"""Requests for approval: who gets an email, what a repeated call does, which candidate is superseded."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from functions.request_approval import app
from mlops.approval.emails import compose_request
from mlops.infrastructure.aws.clients import client
from mlops.models.approval import RequestStatus
from mlops.models.errors import NoApproverError
from mlops.models.registry import Status
from mlops.models.training import ChampionComparison, GateResult
from tests.functions.approval_stage import GROUP, a_candidate


def an_event(stage, version: str = "v1.0.0", run: str = "run-1", **changes) -> dict:
    arn, token = stage.start_waiting(run)
    event = {
        "group": GROUP,
        "version": version,
        "task_token": token,
        "execution_arn": arn,
        "timeout_seconds": 3600,
    }
    return event | changes


def test_every_approver_gets_a_link_of_their_own(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    links = stage.ask(stage.register())
    assert len(set(links)) == 2
    attributes = [mail["attributes"]["approver"] for mail in stage.emails()]
    assert [attribute["Value"] for attribute in attributes] == ["ada@example.com", "bob@example.com"]
    assert {mail["subject"] for mail in stage.emails()} == {f"Approve {GROUP} v1.0.0? First model"}
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL


def test_the_mail_is_readable_as_plain_text(stage):
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    lines = stage.emails()[0]["body"].splitlines()
    assert link in lines
    assert max(len(line) for line in lines if line != link) <= 72
    assert "- Average precision: 0.6100 (0.5600 to 0.6600), +0.0600 against the" in lines


def test_the_mail_says_what_the_model_predicts(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    request = stage.request_of("v1.0.0")
    evidence = dataclasses.replace(request.evidence, target="adherent", task="binary", positive_label="yes")
    _, body = compose_request(
        dataclasses.replace(request, evidence=evidence), "ada@example.com", "https://link"
    )
    assert "- It predicts adherent (binary, looks for yes)." in body.splitlines()


def test_the_task_token_is_nowhere_to_be_read(stage, caplog):
    stage.subscribe("ada@example.com")
    stage.register()
    event = an_event(stage)
    link = stage.invoke_request(event)[0]
    stored = client("dynamodb").scan(TableName="approvals")["Items"]
    shown = stage.http_request(link)["body"]
    logged = "\n".join(str(vars(record)) for record in caplog.records)
    for place in (json.dumps(stored, default=str), shown, logged, stage.emails()[0]["body"]):
        assert event["task_token"] not in place
    assert link not in logged
    assert stage.service.unseal(stage.request_of("v1.0.0"))["task_token"] == event["task_token"]


@pytest.mark.parametrize("change", [{"id_hash": "0" * 64}, {"group": "other"}, {"version": "v9.9.9"}])
def test_a_task_token_is_decrypted_for_its_own_request_only(stage, change):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        stage.service.unseal(dataclasses.replace(stage.request_of("v1.0.0"), **change))


def test_a_new_entry_keeps_the_old_links_alive(stage):
    stage.subscribe("ada@example.com")
    old_link = stage.ask(stage.register(), run="run-1")[0]
    stage.invoke_request(an_event(stage, run="run-2"))
    assert stage.post(old_link)["statusCode"] == 303
    assert json.loads(stage.execution("run-2")["output"])["decision"] == "approved"
    assert stage.is_running("run-1")  # its token was given up for the new one


def test_an_entry_after_the_decision_passes_the_decision_on(stage):
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register(), run="run-1")[0]
    stage.post(link)
    assert stage.invoke_request(an_event(stage, run="run-2")) == []
    assert json.loads(stage.execution("run-2")["output"])["decision"] == "approved"


def test_a_newer_candidate_supersedes_the_pending_one(stage):
    stage.subscribe("ada@example.com")
    old = stage.ask(stage.register(), run="run-1")[0]
    new = stage.ask(stage.register(dataset_version="d2"), run="run-2")[0]
    output = json.loads(stage.execution("run-1")["output"])
    assert (output["decision"], output["reason"]) == ("superseded", "v1.0.1 is newer.")
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.SUPERSEDED
    assert stage.request_of("v1.0.0").status is RequestStatus.SUPERSEDED
    assert "Superseded" in stage.http_request(old)["body"]
    assert stage.http_request(new)["statusCode"] == 200


def test_a_candidate_that_comes_late_is_superseded_itself(stage):
    stage.subscribe("ada@example.com")
    stage.register()
    stage.ask(stage.register(dataset_version="d2"), run="run-2")
    assert stage.invoke_request(an_event(stage, "v1.0.0", "run-1")) == []
    assert json.loads(stage.execution("run-1")["output"])["decision"] == "superseded"
    assert stage.registry.get_model(GROUP, "v1.0.1").status is Status.PENDING_APPROVAL


def test_a_decision_that_came_first_is_not_superseded(stage):
    stage.subscribe("ada@example.com")
    stage.post(stage.ask(stage.register(), run="run-1")[0])
    stage.ask(stage.register(dataset_version="d2"), run="run-2")
    assert json.loads(stage.execution("run-1")["output"])["decision"] == "approved"
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL


def test_automatic_approval_asks_no_one_and_is_in_the_audit(stage):
    stage.allow_automatic_approval()
    stage.register(settings=stage.settings(automatic=True), comparison=None)
    assert stage.invoke_request(an_event(stage)) == []
    assert json.loads(stage.execution()["output"])["decided_by"] == "automatic approval"
    last = stage.registry.audit(GROUP)[-1]
    assert (last.action, last.by) == ("approve", "automatic approval")


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": GateResult(passed=True, requires_person=True)},
        {"gate": None},
        {"comparison": ChampionComparison("v1.0.0", reason="it was made with scikit-learn 1.5.")},
        {"comparison": replace(a_candidate().comparison, champion_version="v0.9.0")},
        {"comparison": None},
    ],
    ids=["gate says so", "no gate", "not comparable", "another champion", "no comparison"],
)
def test_without_a_comparison_on_the_same_rows_people_decide_whatever_the_settings_say(stage, changes):
    version = stage.register().version
    stage.registry.approve_model(GROUP, version, by="ada", reason="good")
    stage.registry.promote_model(GROUP, version, by="ada", reason="good")
    stage.subscribe("ada@example.com")
    model = stage.register(dataset_version="d2", settings=stage.settings(automatic=True), **changes)
    assert len(stage.ask(model)) == 1
    assert stage.is_running()
    assert stage.registry.get_model(GROUP, model.version).status is Status.PENDING_APPROVAL


def test_fewer_confirmed_approvers_than_required_is_an_error(stage):
    stage.subscribe("ada@example.com")
    stage.register(settings=stage.settings(required_approvals=2))
    with pytest.raises(NoApproverError, match=r"needs 2 approver\(s\), but 1 of ada@example.com have"):
        stage.invoke_request(an_event(stage))


def test_the_request_is_counted(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    metrics = client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {"ApprovalsRequested", "ApprovalsAutomatic"}


def test_the_sample_event_opens_a_request(stage, repository):
    stage.subscribe("ada@example.com")
    stage.register()
    event = json.loads((repository / "events/request_approval.json").read_text())
    assert stage.handle(app, event) == {"group": GROUP, "version": "v1.0.0", "n_asked": 1}
