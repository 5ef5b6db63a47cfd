"""A retraining from its proposal to its training, and what its roles need; `make prove` walks it."""

from __future__ import annotations

import os

import pytest

from local.stack import DeployedStack, read_form, wait
from mlops.infrastructure.clock import utc_now
from tests.e2e.approvals import run_mlops
from tests.e2e.ledger import in_ledger
from tests.e2e.permissions import UNSEEN, decisive_statements, denied_actions, statements_of
from tests.e2e.walks import A_QUICK_MODEL, a_regression_table, score, train_and_decide

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it"),
]

OWNERS = ("CheckRetrainingFunction", "RetrainModelFunction", "DecideRetrainingFunction")
GROUP = "renewed"
SETTINGS = """id_columns = ["house_id"]
[output]
keep_columns = ["*"]
[retrain]
policy = "propose"
new_labels = 1
min_new_rows = 1
cool_down_days = 0
"""
# Needed only when the event of a request is delivered again while the training that it started goes on.
SELDOM = {("RetrainModelFunctionRole", "SeeWhetherAnExecutionContinues")}


@pytest.fixture(scope="module")
def started(stack: DeployedStack) -> str:
    """The training of the retraining that the check of a night proposes, requested on its page."""
    train_and_decide(stack, GROUP, a_regression_table(seed=41), A_QUICK_MODEL + SETTINGS, "approved")
    later = a_regression_table(rows=150, seed=42).assign(house_id=lambda table: table["house_id"] + 50_000)
    batch = score(stack, GROUP, "new.csv", later.drop(columns="price").to_csv(index=False).encode())
    name = f"batch-{batch.output['batch_id']}.parquet"
    wait(lambda: in_ledger(stack, name, GROUP) or None, f"{name} in the ledger", 90)
    stack.drop(later[["house_id", "price"]].to_csv(index=False).encode(), f"{GROUP}/labels/sold.csv")
    wait(lambda: stack.keys(f"quality/{GROUP}/") or None, "a report of realised quality", 90)
    existing = stack.executions("TrainModel")
    checked = stack.run_scheduled("CheckRetraining", utc_now())["groups"]
    assert {"proposed"} == {each["outcome"] for each in checked if each["group"] == GROUP}, checked
    mail = stack.wait_for_email(lambda m: any("/retrainings/" in link for link in m["links"]), "proposal")
    link = next(link for link in mail["links"] if "/retrainings/" in link)
    page = stack.cloud.request("GET", link)
    assert page.status == 200, page.text
    answer = stack.post_form(link, read_form(page.text).hidden)
    assert answer.status in (200, 303), answer.text
    return stack.wait_for_execution("TrainModel", existing)


@pytest.fixture(scope="module")
def refused(stack: DeployedStack, started: str) -> dict:
    """The email about `mlops retrain` on the same rows."""
    run_mlops(stack, "retrain", GROUP)
    return stack.wait_for_email(lambda m: "The same rows were trained on before" in m["body"], "refusal")


def test_a_proposed_retraining_starts_a_training(started: str) -> None:
    assert "TrainModel" in started


def test_the_same_rows_are_not_trained_on_twice(refused: dict) -> None:
    assert GROUP in refused["subject"]


def test_the_roles_of_retrainings_have_what_they_need_and_nothing_else(
    stack: DeployedStack, refused: dict
) -> None:
    roles = {role for role, _ in statements_of(*OWNERS)}
    assert not {denied for denied in denied_actions(stack) if denied[0] in roles}
    idle = {pair for pair in statements_of(*OWNERS) - decisive_statements(stack) if pair[1] not in UNSEEN}
    assert idle <= SELDOM, "\n".join(map(str, sorted(idle - SELDOM)))
