"""After an approval nothing but a changed artifact may lose it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops.approval.watch_approvals import WatchSummary, promote_forgotten, watch_requests
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ApprovalError
from mlops.models.registry import Status
from mlops.registry.promotion import promote_approved
from tests.functions.approval_stage import GROUP, Stage
from tests.functions.decision_stage import (
    NAME,
    ask,
    decide,
    die,
    in_approved_without_request,
    promote,
    status,
    stored,
    watch,
)


@pytest.fixture(params=["sweep", "command"])
def completed(request: pytest.FixtureRequest, stage: Stage) -> Callable[[], None]:
    """Both ways that complete an approval: the scheduled round, and `mlops promote`."""

    def complete() -> None:
        watch(stage) if request.param == "sweep" else promote(stage)

    return complete


def test_an_approval_whose_execution_died_before_the_promotion_is_carried_out(stage, completed):
    link = ask(stage)
    assert stage.post(link)["statusCode"] == 303
    die(stage)
    assert status(stage) is Status.PENDING_APPROVAL
    completed()
    assert stage.registry.champion(GROUP).version == NAME
    promoted = stage.registry.audit(GROUP)[-1]
    assert (promoted.action, promoted.by) == ("promote", "link of ada@example.com")
    assert f"{GROUP} {NAME} is in service" in {mail["subject"] for mail in stage.emails(stage.notifications)}
    watch(stage)
    assert stage.request_of(NAME).is_carried_out
    assert list(stage.table.open()) == []


def test_an_approval_between_the_two_writes_of_the_promotion_is_carried_out(stage, completed):
    ask(stage)
    decision = decide(stage)
    stage.registry.approve_model(GROUP, NAME, by=decision.decided_by)
    die(stage)
    completed()
    assert status(stage) is Status.CHAMPION


def test_an_approval_in_time_that_its_execution_did_not_wait_for_is_carried_out(stage, completed):
    ask(stage)
    decide(stage)
    die(stage)
    stage.registry.expire(GROUP, NAME, by="time limit", reason="No one decided within the time limit.")
    completed()
    assert status(stage) is Status.CHAMPION


def test_a_rejection_whose_execution_died_is_carried_out_and_announced(stage):
    ask(stage)
    decide(stage, "rejected")
    die(stage)
    with pytest.raises(ApprovalError, match="cannot be put into service"):
        promote(stage)
    watch(stage)
    assert status(stage) is Status.REJECTED
    assert f"{GROUP} {NAME} was rejected" in {mail["subject"] for mail in stage.emails(stage.notifications)}


def test_only_a_changed_artifact_voids_an_approval_and_people_are_told(stage):
    ask(stage)
    decide(stage)
    die(stage)
    artifact = stage.registry.get_model(GROUP, NAME).artifact
    key = artifact.uri.removeprefix("s3://artifacts/")
    client("s3").delete_object(Bucket="artifacts", Key=key, VersionId=artifact.version_id)
    watch(stage)
    assert status(stage) is Status.REJECTED
    (mail,) = [mail for mail in stage.emails(stage.notifications) if "rejected" in mail["subject"]]
    assert "The approval has no effect" in mail["body"]
    with pytest.raises(ApprovalError, match="rejection is final"):
        promote(stage)


def test_a_newer_version_in_service_is_not_replaced_by_an_older_approval(stage):
    ask(stage)
    decide(stage)
    die(stage)
    newer = stage.register(artifact=stored(b"newer", "training/g/k/model.tar.gz"), dataset_version="d2")
    stage.registry.approve_model(GROUP, newer.version)
    stage.registry.promote_model(GROUP, newer.version)
    watch(stage)
    assert stage.registry.champion(GROUP).version == newer.version
    assert status(stage) is Status.SUPERSEDED


def test_what_its_execution_has_carried_out_is_not_done_or_announced_again(stage):
    ask(stage)
    decision = decide(stage)
    stage.clock.advance(minutes=2)
    assert watch_requests(stage.completion, stage.mailer, [].append).n_delivered == 1
    promote_approved(GROUP, NAME, decision, registry=stage.registry, objects=stage.objects)
    stage.execution(f"run-{NAME}")
    n_entries, n_emails = len(stage.registry.audit(GROUP)), len(stage.emails(stage.notifications))
    watch(stage)
    assert len(stage.registry.audit(GROUP)) == n_entries
    assert len(stage.emails(stage.notifications)) == n_emails
    assert stage.request_of(NAME).is_carried_out


def test_a_promotion_of_which_people_were_not_told_is_announced(stage):
    ask(stage)
    decision = decide(stage)
    promote_approved(GROUP, NAME, decision, registry=stage.registry, objects=stage.objects)
    die(stage)  # in "Mail promotion"
    watch(stage)
    assert f"{GROUP} {NAME} is in service" in {mail["subject"] for mail in stage.emails(stage.notifications)}


def test_a_round_that_dies_anywhere_is_completed_by_the_next(stage, monkeypatch):
    ask(stage)
    decide(stage)
    die(stage)
    real, fails = stage.table.put, iter([False, True])

    def put(request: object) -> bool:
        if getattr(request, "is_carried_out", False) and next(fails, False) is False:
            raise ConnectionError("killed")
        return real(request)

    monkeypatch.setattr(type(stage.table), "put", lambda _, request: put(request))
    with pytest.raises(ConnectionError):
        watch(stage)
    watch(stage)
    assert status(stage) is Status.CHAMPION
    assert [entry.action for entry in stage.registry.audit(GROUP)].count("promote") == 1


def test_an_execution_that_still_runs_promotes_by_itself(stage):
    ask(stage)
    decide(stage)
    with pytest.raises(ApprovalError, match="runs, and puts it into service"):
        promote(stage)


def test_an_automatic_approval_whose_execution_died_is_carried_out(stage):
    in_approved_without_request(stage)
    assert promote_forgotten(stage.completion, WatchSummary()).n_carried_out == 0  # it may be at work
    stage.clock.advance(hours=2)
    assert promote_forgotten(stage.completion, WatchSummary()).n_carried_out == 1
    assert promote_forgotten(stage.completion, WatchSummary()).n_carried_out == 0
    assert status(stage) is Status.CHAMPION
    assert f"{GROUP} {NAME} is in service" in {mail["subject"] for mail in stage.emails(stage.notifications)}
