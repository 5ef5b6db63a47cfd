"""Faults that pass: what a deployed function needs is missing for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local.stack import DeployedStack

ABSENT_TABLE = "absent"


@contextmanager
def without_table(stack: DeployedStack, function: str) -> Iterator[None]:
    """Let a function look for the registry in a table that does not exist, and put that right at the end."""
    client = stack.cloud.client("lambda")
    names = [entry["FunctionName"] for entry in client.list_functions()["Functions"]]
    name = next(name for name in names if f"{function}Function" in name)
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wrong = variables | {"REGISTRY_TABLE_NAME": ABSENT_TABLE}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": wrong})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def has_failed_once(stack: DeployedStack, execution: str, state: str) -> bool:
    """Return whether the state was entered, and a task failed after it."""
    pages = stack.cloud.client("stepfunctions").get_paginator("get_execution_history")
    events = [event for page in pages.paginate(executionArn=execution) for event in page["events"]]
    entered = [i for i, e in enumerate(events) if e.get("stateEnteredEventDetails", {}).get("name") == state]
    failures = ("TaskFailed", "LambdaFunctionFailed")
    return bool(entered) and any(event["type"] in failures for event in events[entered[0] :])
