"""Attacks on the approval policy at the functions that decide: who is asked, how many, which gate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from functions.register_model import app as register_model
from mlops.approval.administration import answer_by_command
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ApprovalError, NoApproverError
from mlops.models.registry import Status
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, GateResult, MetricComparison
from tests.functions.approval_stage import GROUP, a_candidate, a_tar
from tests.functions.test_register_model import a_result, documents, event, finish_job
from tests.functions.test_request_approval import an_event

__all__ = ["event"]  # a fixture

ROBOT = "arn:aws:sts::123456789012:assumed-role/deploy/robot"


def metric(stage, name: str) -> bool:
    names = client("cloudwatch").list_metrics(Namespace="MLOps/test", MetricName=name)["Metrics"]
    return bool(names)


# ── Automatic approval ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("allowed", ["nothing", "the stack", "the policy"])
def test_a_model_is_never_approved_automatically_by_model_toml_alone(stage, allowed):
    """The attack: a person who may drop data writes `automatic = true` beside it."""
    stage.subscribe("ada@example.com")
    if allowed == "the policy":
        stage.allow_automatic_approval()
    stage.variables["ALLOW_AUTOMATIC_APPROVAL"] = "on" if allowed == "the stack" else "off"
    links = stage.ask(stage.register(settings=stage.settings(automatic=True)))
    assert len(links) == 1
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL
    assert "Not followed from model.toml: approval.automatic = true" in stage.http_request(links[0])["body"]


def test_an_automatic_approval_is_announced_by_email_and_counted(stage):
    stage.allow_automatic_approval()
    stage.register(settings=stage.settings(automatic=True), comparison=None)
    assert stage.invoke_request(an_event(stage)) == []
    (email,) = stage.emails(stage.notifications)
    assert email["subject"] == f"{GROUP} v1.0.0 was approved automatically"
    assert f"mlops policy set {GROUP} --automatic off" in " ".join(email["body"].split())
    assert metric(stage, "ApprovalsAutomatic")
    assert json.loads(stage.execution()["output"])["decision"] == "approved"


COIN_FLIP = replace(
    a_candidate().metrics,
    average_precision=0.2,
    roc_auc=0.5,
    intervals={"average_precision": (0.16, 0.25), "roc_auc": (0.46, 0.54)},
)
WORSE = ChampionComparison(
    "v1.0.0",
    comparable=True,
    n_rows=400,
    metrics={"average_precision": MetricComparison(0.2, 0.55, -0.35, (-0.4, -0.3))},
)


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": COIN_FLIP, "comparison": None},
        {"metrics": COIN_FLIP, "comparison": WORSE},
        {"comparison": WORSE},
    ],
    ids=["a coin flip", "a coin flip beside a champion", "worse than the champion"],
)
def test_a_gate_that_model_toml_has_loosened_is_not_enough_for_automatic_approval(stage, changes):
    stage.subscribe("ada@example.com")
    stage.allow_automatic_approval()
    settings = replace(
        stage.settings(automatic=True), gate={"average_precision": GateRule(0.0, min_absolute_change=-1.0)}
    )
    passed = GateResult(passed=True, reasons=("passed by the rules of model.toml",))
    assert len(stage.ask(stage.register(settings=settings, gate=passed, **changes))) == 1
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.PENDING_APPROVAL


def test_a_model_that_was_not_compared_with_this_champion_is_not_approved_automatically(stage):
    stage.allow_automatic_approval()
    stage.promote_two()  # v1.0.1 is in service; the candidate was compared with v1.0.0
    stage.subscribe("ada@example.com")
    (link,) = stage.ask(stage.register(settings=stage.settings(automatic=True), dataset_version="d9"))
    assert "Approval would be automatic, but" in stage.http_request(link)["body"]


def test_a_model_that_is_better_than_this_champion_is_approved_automatically(stage):
    stage.allow_automatic_approval()
    stage.registry.approve_model(GROUP, stage.register().version, by="ada")
    stage.registry.promote_model(GROUP, "v1.0.0", by="ada")
    better = stage.register(settings=stage.settings(automatic=True), dataset_version="d2")
    assert stage.ask(better) == []
    assert json.loads(stage.execution()["output"])["decided_by"] == "automatic approval"


# ── Who and how many ──────────────────────────────────────────────────────────────────────────────────────


def test_the_parameter_of_the_stack_decides_how_many_must_approve(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    stage.variables["MINIMUM_APPROVALS"] = "2"
    ada, bob = stage.ask(stage.register())
    stage.post(ada)
    assert stage.is_running()
    assert "1 of 2 approvals are in" in stage.http_request(bob)["body"]
    stage.post(bob)
    assert json.loads(stage.execution()["output"])["decision"] == "approved"


def test_only_the_approvers_that_the_policy_names_get_a_link(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    stage.set_policy(approvers=("bob@example.com",))
    (link,) = stage.ask(stage.register())
    assert stage.emails()[0]["attributes"]["approver"]["Value"] == "bob@example.com"
    assert (
        "The policy of the group names who may approve: bob@example.com." in stage.http_request(link)["body"]
    )


def test_who_subscribes_to_the_topic_is_no_approver_by_that(stage):
    stage.subscribe("ada@example.com")
    stage.subscribe_to_topic("mallory@example.com")
    assert len(stage.ask(stage.register())) == 1
    assert stage.request_of("v1.0.0").approvers == ("ada@example.com",)


def test_an_identity_that_the_policy_does_not_name_does_not_approve_by_command(stage):
    stage.subscribe("ada@example.com", "bob@example.com")
    stage.set_policy(approvers=("bob@example.com",))
    stage.ask(stage.register())
    with pytest.raises(ApprovalError, match="needs the answer of its approvers"):
        answer_by_command(stage.service, GROUP, "v1.0.0", "approved", actor=ROBOT, reason="a test")
    assert stage.is_running()


def test_more_approvals_than_approvers_fail_at_the_request_too(stage):
    stage.subscribe("ada@example.com")
    stage.variables["MINIMUM_APPROVALS"] = "2"
    stage.register()
    with pytest.raises(NoApproverError, match=r"needs 2 approver\(s\), but 1 of ada@example.com"):
        stage.invoke_request(an_event(stage))


def test_a_request_that_is_open_keeps_the_rules_that_it_was_made_with(stage):
    stage.subscribe("ada@example.com")
    stage.ask(stage.register())
    stage.variables["APPROVER_EMAILS"] = "ada@example.com,bob@example.com"
    stage.set_policy(required_approvals=2, approvers=("ada@example.com", "bob@example.com"))
    (again,) = stage.invoke_request(an_event(stage, run="run-2"))  # a redrive
    assert stage.post(again)["statusCode"] == 303
    assert json.loads(stage.execution("run-2")["output"])["decision"] == "approved"


# ── The settings that differ ──────────────────────────────────────────────────────────────────────────────


def test_the_page_and_the_email_show_every_setting_that_differs_from_the_champion_s(stage):
    stage.subscribe("ada@example.com")
    before = GroupSettings.from_toml('exclude_columns = ["days"]\n[gate.roc_auc]\nthreshold = 0.7')
    champion = stage.register(settings=before)
    stage.registry.approve_model(GROUP, champion.version, by="ada")
    stage.registry.promote_model(GROUP, champion.version, by="ada")
    after = GroupSettings.from_toml(
        'seed = 7\ntarget = "<img src=x onerror=alert(1)>"\n[gate.roc_auc]\nthreshold = 0.1'
    )
    link = stage.ask(stage.register(settings=after, dataset_version="d2"))[0]
    page, email = stage.http_request(link)["body"], " ".join(stage.emails()[-1]["body"].split())
    assert "Settings that differ from those of v1.0.0" in page
    for key, old, new in (
        ("gate.roc_auc.threshold", "0.7", "0.1"),
        ("exclude_columns", '["days"]', "not set"),
        ("seed", "0", "7"),
    ):
        assert f"{key}: {old} -> {new}" in email
        row = page[page.index(f"<code>{key}</code>") :].split("</tr>")[0]
        assert row.index(old.replace('"', "&#34;")) < row.index(new)
    assert page.index("<code>gate.roc_auc.threshold") < page.index("<code>exclude_columns")
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page


def test_without_a_champion_the_settings_that_are_not_the_default_are_shown(stage):
    stage.subscribe("ada@example.com")
    settings = GroupSettings.from_toml("[gate.roc_auc]\nthreshold = 0.0")
    link = stage.ask(stage.register(settings=settings))[0]
    assert "Settings that are not the default" in stage.http_request(link)["body"]
    assert "- gate.roc_auc.threshold: not set -> 0.0" in stage.emails()[-1]["body"].splitlines()


# ── Floors of the gate ────────────────────────────────────────────────────────────────────────────────────


def refused_by(stage, event: dict, floors: dict[str, GateRule], **result) -> list[str]:
    """Register a training with a passing model; return the reasons for which the gate refuses it."""
    stage.set_policy(gate_floors=floors)
    finish_job(event, a_tar(documents(**result)))
    gate = stage.handle(register_model, event)["gate"]
    return [] if gate["passed"] else gate["reasons"]


def test_a_floor_is_judged_whatever_the_rules_of_model_toml_say(stage, event):
    event["settings"]["gate"] = {"roc_auc": {"threshold": 0.1}}
    reasons = refused_by(stage, event, {"roc_auc": GateRule(0.9)})
    assert any("misses the rule of at least 0.9000" in reason for reason in reasons)
    assert stage.registry.get_model(GROUP, "v1.0.0").status is Status.REJECTED_BY_GATE


def test_a_low_floor_does_not_take_the_place_of_the_default_gate(stage, event):
    weak = replace(a_result().metrics, roc_auc=0.51, intervals={"roc_auc": (0.45, 0.57)})
    reasons = refused_by(stage, event, {"roc_auc": GateRule(0.1)}, metrics=weak)
    assert any("is not clearly better than a model that looks at nothing" in reason for reason in reasons)


def test_another_task_does_not_avoid_a_floor(stage, event):
    numbers = replace(
        a_result().metrics,
        roc_auc=None,
        r2=0.9,
        task="regression",
        primary="r2",
        intervals={"r2": (0.8, 0.95)},
        dummy={"r2": 0.0},
    )
    reasons = refused_by(stage, event, {"roc_auc": GateRule(0.7)}, metrics=numbers, task="regression")
    assert any("does not avoid the floor" in reason for reason in reasons)


def test_a_model_above_the_floor_passes(stage, event):
    assert refused_by(stage, event, {"roc_auc": GateRule(0.7)}) == []
