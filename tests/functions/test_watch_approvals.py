"""Looking after open requests: reminders, lost deliveries, abandoned requests, and what is measured."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.watch_approvals import app
from mlops.approval.completion import Completion
from mlops.approval.quorum import count_answer
from mlops.approval.watch_approvals import reminders_due, watch_requests
from mlops.infrastructure.aws.clients import client
from mlops.links.link import Purpose
from mlops.models.approval import Answer, RequestStatus, RollbackDecision
from mlops.models.errors import ApprovalError
from mlops.models.registry import Status
from tests.functions.approval_stage import BASE_URL, GROUP

LIMIT_SECONDS = 9 * 3600 + 60  # the last minute is kept back


@pytest.fixture
def expired() -> list:
    """The versions whose expiry was announced."""
    return []


@pytest.fixture
def watch(stage, expired):
    service = replace(
        stage.service, registry=type(stage.registry)(True, table_name="registry", actor="watch_approvals")
    )
    completion = Completion(service, stage.rollbacks, stage.rollback_mailer)
    return lambda: watch_requests(completion, stage.mailer, expired.append)


def reminders(stage) -> list[dict]:
    return [mail for mail in stage.emails() if mail["subject"].startswith("Reminder")]


def link_in(mail: dict) -> str:
    return next(line for line in mail["body"].splitlines() if line.startswith(BASE_URL))


def test_reminders_go_out_at_one_and_two_thirds_and_once_each(stage, watch):
    stage.subscribe("ada@example.com", "bob@example.com")
    stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)
    sent = []
    for _ in range(10):
        watch()
        sent.append(len(reminders(stage)))
        watch()
        stage.clock.advance(hours=1, minutes=1)
    assert sent == [0, 0, 0, 2, 2, 2, 4, 4, 4, 4]
    assert {mail["subject"] for mail in reminders(stage)} == {
        f"Reminder: approve {GROUP} v1.0.0? First model"
    }


def test_two_rounds_at_once_remind_once(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)
    stage.clock.advance(hours=4)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: watch(), range(8)))
    assert len(reminders(stage)) == 1


def test_a_missed_reminder_is_not_made_up_for_by_two(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)
    stage.clock.advance(hours=7)
    assert watch().n_reminded == 1
    assert watch().n_reminded == 0


def test_the_link_of_a_reminder_and_the_first_one_both_decide(stage, watch):
    stage.subscribe("ada@example.com")
    first = stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)[0]
    stage.clock.advance(hours=4)
    watch()
    again = link_in(reminders(stage)[0])
    assert again != first
    assert stage.http_request(first)["statusCode"] == 200
    assert stage.post(again)["statusCode"] == 303
    assert "Approved" in stage.http_request(first)["body"]


def test_an_approver_who_has_answered_is_not_reminded(stage, watch):
    stage.subscribe("ada@example.com", "bob@example.com")
    model = stage.register(settings=stage.settings(required_approvals=2))
    ada, _ = stage.ask(model, timeout_seconds=LIMIT_SECONDS)
    stage.post(ada)
    stage.clock.advance(hours=4)
    assert watch().n_reminded == 1
    assert reminders(stage)[0]["attributes"]["approver"]["Value"] == "bob@example.com"
    assert "1 of 2 approvals are in" in reminders(stage)[0]["body"]


def test_reminders_count_from_the_newest_asking(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)
    request = stage.request_of("v1.0.0")
    later = request.created_at + timedelta(days=2)
    asked_again = replace(request, asked_at=later, expires_at=later + timedelta(hours=9))
    assert reminders_due(asked_again, later + timedelta(hours=2)) == 0
    assert reminders_due(asked_again, later + timedelta(hours=3)) == 1
    assert reminders_due(request, request.created_at + timedelta(days=30)) == 2


def decide_without_delivering(stage) -> None:
    request = stage.request_of("v1.0.0")
    answer = Answer("ada@example.com", "approved", "good", stage.clock())
    assert stage.table.put(count_answer(request, answer))


def test_a_decision_that_did_not_arrive_is_delivered_by_the_next_round(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    decide_without_delivering(stage)
    assert watch().n_delivered == 0  # the request that decided may still deliver it
    assert stage.is_running()
    stage.clock.advance(minutes=2)
    assert watch().n_delivered == 1
    assert json.loads(stage.execution()["output"])["decision"] == "approved"
    assert stage.request_of("v1.0.0").is_delivered


def test_a_decision_that_came_too_late_for_its_execution_expires(stage, watch):
    stage.machine = stage.create_machine("impatient", seconds=1)
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    stage.execution()
    stage.clock.advance(minutes=1)
    decide_without_delivering(stage)
    stage.clock.advance(minutes=2)
    watch()
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.EXPIRED
    assert stage.request_of("v1.0.0").status is RequestStatus.EXPIRED


def test_what_a_click_found_abandoned_is_announced_once_by_the_next_round(stage, watch, expired):
    stage.machine = stage.create_machine("impatient", seconds=1)
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    stage.execution()
    stage.clock.advance(minutes=1)
    assert stage.post(link)["statusCode"] == 410
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.EXPIRED
    assert expired == []
    assert watch().n_expired == 1
    assert watch().n_expired == 0
    assert [model.version for model in expired] == ["v1.0.0"]
    assert stage.http_request(link)["statusCode"] == 410


def test_a_fault_with_one_request_does_not_stop_the_others(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register(), run="run-1")
    damaged = replace(stage.request_of("v1.0.0"), execution_arn="?", id_hash="0" * 64, revision=1)
    stage.table.put(damaged)
    stage.clock.advance(minutes=25)
    summary = watch()
    assert (summary.n_pending, summary.n_reminded, len(reminders(stage))) == (1, 1, 1)
    assert [fault.partition(":")[0] for fault in summary.faults] == [f"{GROUP} v1.0.0"]
    with pytest.raises(ApprovalError, match="could not be processed"):
        stage.handle(app, {})


def test_a_rollback_that_fails_does_not_stop_the_others(stage, watch):
    link = stage.offer_rollback("ada@example.com")[0]
    opened = stage.signer.read(link.rsplit("/", 1)[1], Purpose.ROLLBACK, now=stage.clock())
    decision = RollbackDecision("link of ada@example.com", "Worse.", stage.clock() - timedelta(hours=1))
    offer = replace(stage.rollbacks.table.get(opened.subject_hash), decision=decision)
    stage.rollbacks.table.put(replace(offer, revision=2))
    stage.rollbacks.table.put(replace(offer, group="absent", id_hash="0" * 64, revision=1))
    with pytest.raises(ApprovalError, match=r"absent v1\.0\.1: ModelNotFoundError"):
        stage.handle(app, {})
    assert stage.registry.champion(GROUP).version == "v1.0.0"
    measured = {m["MetricName"] for m in client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]}
    assert {"OldestApprovalSeconds", "ConfirmedApprovers"} <= measured


def test_an_answer_that_a_crash_kept_from_the_audit_log_is_added_by_the_next_round(stage, watch):
    stage.subscribe("ada@example.com", "bob@example.com")
    stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    request = stage.request_of("v1.0.0")
    answer = Answer("ada@example.com", "approved", "good", stage.clock())
    assert stage.table.put(count_answer(request, answer))
    watch()
    watch()
    entries = [entry for entry in stage.registry.check_audit(GROUP) if entry.action == "answer"]
    assert [(entry.by, entry.at) for entry in entries] == [("link of ada@example.com", answer.at)]


def test_a_request_whose_execution_has_ended_expires_and_is_announced_once(stage, watch, expired):
    stage.machine = stage.create_machine("impatient", seconds=1)  # moto cannot stop a waiting execution
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    stage.execution()
    assert watch().n_expired == 1
    assert watch().n_expired == 0
    assert [model.version for model in expired] == ["v1.0.0"]
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.EXPIRED
    assert stage.http_request(link)["statusCode"] == 410


def test_a_version_that_its_execution_has_expired_is_not_announced_again(stage, watch, expired):
    stage.machine = stage.create_machine("impatient", seconds=1)
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    stage.execution()
    stage.registry.expire(GROUP, "v1.0.0", by="time limit")
    assert watch().n_expired == 1
    assert expired == []
    assert stage.request_of("v1.0.0").status is RequestStatus.EXPIRED


def test_an_execution_that_the_service_has_deleted_has_ended(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    request = stage.request_of("v1.0.0")
    forgotten = request.execution_arn.replace("run-1", "run-0")
    stage.table.put(replace(request, execution_arn=forgotten, revision=2))
    assert watch().n_expired == 1


def test_the_longest_wait_is_measured(stage, watch):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register(), timeout_seconds=LIMIT_SECONDS)
    stage.clock.advance(hours=2)
    summary = watch()
    assert summary.n_pending == 1
    assert summary.oldest_pending_seconds == pytest.approx(2 * 3600, abs=60)


def test_the_handler_announces_measures_and_logs_no_link(stage, repository, caplog):
    stage.machine = stage.create_machine("impatient", seconds=1)
    stage.subscribe("ada@example.com")
    link = stage.ask(stage.register())[0]
    stage.execution()
    event = json.loads((repository / "events/watch_approvals.json").read_text())
    done = stage.handle(app, event)
    assert (done["n_expired"], done["n_pending"], done["n_rolled_back"]) == (1, 0, 0)
    mail = stage.emails(stage.notifications)[0]
    assert mail["subject"] == f"{GROUP} v1.0.0 expired"
    assert "has ended" in mail["body"]
    measured = {m["MetricName"] for m in client("cloudwatch").list_metrics(Namespace="MLOps/test")["Metrics"]}
    assert {"OldestApprovalSeconds", "ConfirmedApprovers", "ApprovalsExpired"} <= measured
    assert link not in "\n".join(str(vars(record)) for record in caplog.records)
