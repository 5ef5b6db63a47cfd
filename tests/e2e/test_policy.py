"""The approval policy on the deployed application: set by a command, obeyed by the functions."""

from __future__ import annotations

import json

import pytest

from local.stack import DeployedStack
from tests.e2e.approvals import run_mlops
from tests.e2e.walks import Walk, a_regression_table

pytestmark = pytest.mark.e2e


def test_a_policy_that_allows_it_lets_a_model_into_service_and_everyone_hears_of_it(
    stack: DeployedStack, automatic_candidate: Walk
) -> None:
    assert "Promote model" in automatic_candidate.states
    subjects = [email["subject"] for email in stack.cloud.emails()]
    assert "lots v1.0.0 was approved automatically" in subjects


def test_another_group_on_the_same_stack_is_refused_at_the_drop(stack: DeployedStack) -> None:
    toml = b'target = "price"\n[approval]\nautomatic = true\n[gate.r2]\nmin_absolute_change = -1.0'
    stack.drop(toml, "selfserve/model.toml")
    stack.drop(a_regression_table(seed=5).to_csv(index=False).encode(), "selfserve/training/coin.csv")
    email = stack.wait_for_email(lambda mail: mail["subject"].startswith("[selfserve]"), "a refusal")
    assert email["subject"] == "[selfserve] coin.csv was rejected"
    assert "`mlops policy set selfserve --automatic on --reason TEXT`" in email["body"]


def test_the_history_says_who_allowed_it_and_why(stack: DeployedStack, automatic_candidate: Walk) -> None:
    document = json.loads(run_mlops(stack, "policy", "show", "lots", "--json"))
    (revision,) = document["history"]
    assert revision["reason"] == "no one needs to look"
    assert revision["changed_by"]
