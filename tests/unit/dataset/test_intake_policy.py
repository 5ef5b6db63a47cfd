"""Attacks with `model.toml`: what asks for less than the policy requires is refused at the drop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlops.approval.policy.changes import set_policy
from mlops.models.approval import PolicyRecord
from mlops.models.objects import ObjectRef
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from tests.policies import some_policies
from tests.unit.dataset.intake_world import GOOD, NOW, World

FLOORS = {"roc_auc": GateRule(0.6, min_absolute_change=0.0)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.policies = some_policies(minimum=2)
    record = PolicyRecord("g", approvers=("ada@example.com", "bob@example.com"), gate_floors=FLOORS)
    set_policy(world.policies, record, by="grace", reason="four eyes", now=NOW)
    return world


def dropped(world: World, toml: str, group: str = "g", name: str = "a.csv"):
    world.objects.write(ObjectRef("data", f"{group}/model.toml"), toml.encode(), "text/plain")
    return world.receive(world.drop(f"{group}/training/{name}", GOOD))


def test_the_coin_flip_is_refused_with_the_sentence_and_nothing_is_trained(tmp_path: Path) -> None:
    """The attack of the review, on a stack whose parameters no one has changed."""
    world = World(tmp_path)
    toml = "[approval]\nautomatic = true\n[gate.roc_auc]\nthreshold = 0.0\nmin_absolute_change = -1.0\n"
    received = dropped(world, toml, "selfserve")
    assert (received.outcome, received.reason) == ("rejected", "policy")
    assert world.executions.training == {}
    (subject, body), *_ = world.notifier.emails
    assert subject == "[selfserve] a.csv was rejected"
    assert (
        "approval.automatic = true is not possible: the parameter AllowAutomaticApproval of the stack is "
        "off. An administrator allows it with this parameter and `mlops policy set selfserve --automatic on "
        "--reason TEXT`; or remove the line from model.toml, and people are asked for approval."
    ) in body


def test_what_was_refused_is_trained_after_the_line_is_removed(world: World) -> None:
    assert dropped(world, "[approval]\nautomatic = true").outcome == "rejected"
    assert dropped(world, "[approval]\nautomatic = false", name="b.csv").outcome == "accepted"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[approval]\nautomatic = true", "AllowAutomaticApproval"),
        ("approval.automatic = true", "AllowAutomaticApproval"),
        ("approval = {automatic = true}", "AllowAutomaticApproval"),
        ('"approval"."automatic" = true', "AllowAutomaticApproval"),
        ('["\\u0061pproval"]\nautomatic = true', "AllowAutomaticApproval"),
        ("[approval]\nrequired_approvals = 3", "g has 2 approvers"),
        ("[approval]\nrequired_approvals = 99999", "approvals"),
        ("[gate]\nroc_auc = 0.5", "gate.roc_auc.threshold = 0.5 is below the 0.6"),
        ("gate.roc_auc.threshold = -1e9", "is below the 0.6"),
        (
            "[gate.roc_auc]\nmin_absolute_change = -1.0",
            "gate.roc_auc.min_absolute_change = -1 is below the 0",
        ),
        (
            "[gate.roc_auc]\nmin_relative_change = -0.5",
            "gate.roc_auc.min_relative_change = -0.5 is below the 0",
        ),
        ("[approval]\nAutomatic = true", "Unknown setting"),
        ("[APPROVAL]\nautomatic = true", "Unknown setting"),
        ("automatic = true", "Unknown setting"),
        ('[approval]\nautomatic = "true"', ""),
        ("[approval]\nautomatic = 1", ""),
        ('[approval]\napprovers = ["mallory@example.com"]', "Unknown setting"),
        ("[approval]\nminimum_approvals = 1", "Unknown setting"),
        ("[policy]\nautomatic = true", "Unknown setting"),
        ("gate_floors = {}", "Unknown setting"),
        ("[settings.approval]\nautomatic = true", "Unknown setting"),
        ("[hyperparameters]\nautomatic = true\nrequired_approvals = 0", ""),
        ("[hyperparameters.approval]\nautomatic = true", ""),
        ('[hyperparameters]\nsettings = \'{"approval": {"automatic": true}}\'', ""),
    ],
)
def test_no_form_of_model_toml_loosens_the_policy(world: World, toml: str, words: str) -> None:
    received = dropped(world, toml)
    assert words in world.notifier.emails[0][1].replace("\n", " ") if words else True
    assert received.outcome == "rejected" or not words
    for document in world.executions.training.values():
        policy = world.policies.of("g", GroupSettings.from_dict(document["settings"]))
        assert (policy.is_automatic, policy.required_approvals, policy.problems) == (False, 2, ())
        assert policy.gate_floors == FLOORS


@pytest.mark.parametrize(
    "config",
    [
        {"approval": {"automatic": True, "required_approvals": 1}},
        {"approval": '{"automatic": true}'},
        {"settings": {"approval": {"automatic": True}}},
        {"settings": '{"approval": {"automatic": true}, "gate": {"roc_auc": -1.0}}'},
        {"automatic": True, "required_approvals": 1},
        {"hyperparameters": {"approval": {"automatic": True}}},
    ],
    ids=str,
)
def test_no_form_of_a_pipeline_s_config_loosens_the_policy(world: World, config: dict) -> None:
    policy = world.policies.of("g", GroupSettings.from_config(config))
    assert (policy.is_automatic, policy.required_approvals) == (False, 2)
    assert policy.gate_floors == FLOORS


def test_stricter_settings_are_accepted(world: World) -> None:
    toml = "[approval]\nrequired_approvals = 2\n[gate.roc_auc]\nthreshold = 0.7\nmin_absolute_change = 0.01"
    assert dropped(world, toml).outcome == "accepted"


def test_the_policy_of_one_group_is_not_that_of_another(world: World) -> None:
    set_policy(
        world.policies, replace(PolicyRecord("h"), required_approvals=3), by="grace", reason="three", now=NOW
    )
    assert dropped(world, "[gate]\nroc_auc = 0.5", "h").outcome == "accepted"
    assert dropped(world, "[approval]\nrequired_approvals = 2", "h").reason == "policy"


def test_a_file_to_score_needs_no_policy(world: World) -> None:
    """A policy that was made stricter does not stop a champion that is in service."""
    world.objects.write(ObjectRef("data", "g/model.toml"), b"[approval]\nautomatic = true", "text/plain")
    received = world.receive(world.drop("g/inference/a.csv", GOOD))
    assert received.reason == "no_champion"
