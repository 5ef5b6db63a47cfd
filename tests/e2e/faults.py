"""Faults that pass: what a deployed function needs is missing for a moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.stack import DeployedStack

ABSENT_TABLE = "absent"


@contextmanager
def without_table(stack: DeployedStack, function: str) -> Iterator[None]:
    """Let a function look for the registry in a table that does not exist, and put that right at the end."""
    client, name = stack.cloud.client("lambda"), deployed_function(stack, function)["FunctionName"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wrong = variables | {"REGISTRY_TABLE_NAME": ABSENT_TABLE}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": wrong})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@contextmanager
def failing_ranges(stack: DeployedStack) -> Iterator[None]:
    """Let the state machine call another function for each range, which finds no scored range."""
    machines, arn = stack.cloud.client("stepfunctions"), stack.outputs["RunInferenceStateMachineArn"]
    definition = machines.describe_state_machine(stateMachineArn=arn)["definition"]
    names = ("ScoreRangeCompiled", "MergeRanges")
    right, wrong = (deployed_function(stack, name)["FunctionArn"] for name in names)
    assert right in definition
    machines.update_state_machine(stateMachineArn=arn, definition=definition.replace(right, wrong))
    try:
        yield
    finally:
        machines.update_state_machine(stateMachineArn=arn, definition=definition)


def error_of(stack: DeployedStack, function: str, event: dict[str, Any]) -> str:
    """Invoke a function, which fails; return the name of its error."""
    name = deployed_function(stack, function)["FunctionName"]
    answer = stack.cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert answer.get("FunctionError"), payload
    return str(payload["errorType"])


def deployed_function(stack: DeployedStack, function: str) -> dict[str, Any]:
    """Return what Lambda says of the function with this logical name."""
    listed: list[dict[str, Any]] = stack.cloud.client("lambda").list_functions()["Functions"]
    return next(entry for entry in listed if f"{function}Function" in entry["FunctionName"])


def has_failed_once(stack: DeployedStack, execution: str, state: str) -> bool:
    """Return whether the state was entered, and a task failed after it."""
    pages = stack.cloud.client("stepfunctions").get_paginator("get_execution_history")
    events = [event for page in pages.paginate(executionArn=execution) for event in page["events"]]
    entered = [i for i, e in enumerate(events) if e.get("stateEnteredEventDetails", {}).get("name") == state]
    failures = ("TaskFailed", "LambdaFunctionFailed")
    return bool(entered) and any(event["type"] in failures for event in events[entered[0] :])
