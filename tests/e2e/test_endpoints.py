"""An endpoint that follows two champions, and what its roles need on the way; `make prove` walks it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from local.stack import DeployedStack
from tests.e2e.permissions import UNSEEN, decisive_statements, denied_actions, statements_of
from tests.e2e.walks import a_regression_table, train_and_decide, walk

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it"),
]

GROUP = "served"  # the stack of these tests names it in ServerlessEndpointGroups
OWNERS = ("EndpointRole", "MoveEndpointStateMachine", "PlanEndpointFunction")
TOML = 'target = "price"\n[gate.r2]\nmin_absolute_change = -1.0'
# Needed only when an endpoint cannot be moved, or an archive does not exist.
SELDOM = {
    ("MoveEndpointStateMachineRole", "SendMails"),
    ("MoveEndpointStateMachineRole", "PublishMetrics"),
    ("PlanEndpointFunctionRole", "SeeWhetherAnObjectIsThere"),
    ("EndpointRole", "ListServedArchives"),  # of an archive that was deleted
}


def _promote(stack: DeployedStack, seed: int) -> tuple[str, list[str]]:
    """Train and approve a version; return it, and the states in which the endpoint moved to it."""
    existing = stack.executions("MoveEndpoint")
    approved = train_and_decide(stack, GROUP, a_regression_table(seed=seed), TOML, "approved")
    return approved.version, walk(stack, stack.wait_for_execution("MoveEndpoint", existing)).states


@pytest.fixture(scope="module")
def moved(stack: DeployedStack) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
    """The versions, and the states in which the endpoint was created, and in which it was updated."""
    return _promote(stack, 21), _promote(stack, 22)


@pytest.fixture(scope="module")
def answer(stack: DeployedStack, moved: tuple) -> Any:
    """What the endpoint says of two rows."""
    rows = json.loads(a_regression_table(rows=40).head(2).drop(columns="price").to_json(orient="records"))
    called = stack.cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=f"{stack.outputs['EndpointNamePrefix']}-{GROUP}",
        ContentType="application/json",
        Body=json.dumps({"rows": rows}),
    )
    return json.loads(called["Body"].read())


def test_the_endpoint_is_created_and_then_updated(moved: tuple) -> None:
    (_, created), (_, updated) = moved
    assert "Create endpoint" in created
    assert {"Update endpoint", "Delete configuration", "Delete model"} <= set(updated)
    assert created[-1] == updated[-1] == "Endpoint follows the champion"


def test_the_endpoint_answers_as_the_second_champion(moved: tuple, answer: Any) -> None:
    assert answer["model_version"] == moved[1][0] != moved[0][0]
    assert len(answer["predictions"]) == 2


def test_the_roles_of_endpoints_have_what_they_need_and_nothing_else(
    stack: DeployedStack, answer: Any
) -> None:
    roles = {role for role, _ in statements_of(*OWNERS)}
    assert not {denied for denied in denied_actions(stack) if denied[0] in roles}
    idle = {pair for pair in statements_of(*OWNERS) - decisive_statements(stack) if pair[1] not in UNSEEN}
    assert idle <= SELDOM, "\n".join(map(str, sorted(idle - SELDOM)))
