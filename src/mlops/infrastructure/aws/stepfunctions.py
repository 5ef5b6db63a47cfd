"""Starting executions and answering task tokens, on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code
from mlops.models.errors import ApprovalClosedError

_CLOSED_TOKEN = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution, its status, and the document that it was started with.

    `stopped_at` is when it ended; None while it runs.
    """

    arn: str
    status: str
    document: Mapping[str, Any]
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """Why the execution of one item of a Map state failed, in the words of Step Functions."""

    error: str
    cause: str


def start_execution(
    state_machine_arn: str, name: str, document: Mapping[str, Any], *, stepfunctions: Any = None
) -> str:
    """Start the execution of that name, once: a name that was started before is a success.

    Returns the execution's ARN.
    """
    try:
        (stepfunctions or client("stepfunctions")).start_execution(
            stateMachineArn=state_machine_arn, name=name, input=json.dumps(document, allow_nan=False)
        )
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":
            raise
    return execution_arn(state_machine_arn, name)


def state_machine_of(execution_arn: str) -> str:
    """Return the ARN of the state machine of an execution."""
    return execution_arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")


def execution_arn(state_machine_arn: str, name: str) -> str:
    """Return the ARN that the execution of that name has, whether or not it exists."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def send_task_success(task_token: str, output: Mapping[str, Any], *, stepfunctions: Any = None) -> None:
    """Answer a waiting task.

    Raises
    ------
    ApprovalClosedError
        If no execution waits for this token any more: it timed out, was answered, or its execution has ended.
    """
    try:
        (stepfunctions or client("stepfunctions")).send_task_success(
            taskToken=task_token, output=json.dumps(output, allow_nan=False)
        )
    except ClientError as error:
        if error_code(error) in _CLOSED_TOKEN:
            raise ApprovalClosedError("The execution no longer waits for this decision.") from error
        raise


def execution_status(execution_arn: str, *, stepfunctions: Any = None) -> str:
    """Return `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, `PENDING_REDRIVE`, or `DELETED`.

    `DELETED` is an execution that ended so long ago that the service has deleted it, or was never started.
    """
    execution = find_execution(execution_arn, stepfunctions=stepfunctions)
    return execution.status if execution else "DELETED"


def has_ended(status: str) -> bool:
    """Return whether an execution of this status will not go on by itself."""
    return status not in ("RUNNING", "PENDING_REDRIVE")


def find_execution(execution_arn: str, *, stepfunctions: Any = None) -> Execution | None:
    """Return an execution; None when it was never started, or the service has deleted it."""
    try:
        answer = (stepfunctions or client("stepfunctions")).describe_execution(executionArn=execution_arn)
    except ClientError as error:
        if error_code(error) != "ExecutionDoesNotExist":
            raise
        return None
    document = json.loads(answer["input"])
    return Execution(execution_arn, str(answer["status"]), document, answer.get("stopDate"))


def running_executions(state_machine_arn: str, *, stepfunctions: Any = None) -> list[tuple[str, datetime]]:
    """Return the ARNs of the executions that run, each with when it was started."""
    pages = (stepfunctions or client("stepfunctions")).get_paginator("list_executions")
    return [
        (execution["executionArn"], execution["startDate"])
        for page in pages.paginate(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
        for execution in page["executions"]
    ]


def failed_item(execution_arn: str, *, stepfunctions: Any = None) -> ItemFailure | None:
    """Return why an item of the newest Map Run of an execution failed; None when none is listed (yet).

    A Map state that ended because an item failed says only that one did.
    """
    states = stepfunctions or client("stepfunctions")
    pages = states.get_paginator("list_map_runs").paginate(executionArn=execution_arn)
    runs = sorted((run for page in pages for run in page["mapRuns"]), key=lambda run: run["startDate"])
    if not runs:
        return None
    failed = states.list_executions(mapRunArn=runs[-1]["mapRunArn"], statusFilter="FAILED", maxResults=1)
    if not failed["executions"]:
        return None
    item = states.describe_execution(executionArn=failed["executions"][0]["executionArn"])
    return ItemFailure(str(item.get("error") or ""), str(item.get("cause") or ""))
