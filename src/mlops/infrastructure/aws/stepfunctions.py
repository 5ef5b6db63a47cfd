"""Starting executions and answering task tokens, on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ApprovalClosedError

_CLOSED_TOKEN = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def start_execution(
    state_machine_arn: str, name: str, document: Mapping[str, Any], *, stepfunctions: Any = None
) -> str:
    """Start the execution of that name, once: a name that was started before is a success.

    Returns the execution's ARN.
    """
    arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        (stepfunctions or client("stepfunctions")).start_execution(
            stateMachineArn=state_machine_arn, name=name, input=json.dumps(document, allow_nan=False)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
    return arn


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
        if error.response["Error"]["Code"] in _CLOSED_TOKEN:
            raise ApprovalClosedError("The execution no longer waits for this decision.") from error
        raise


def execution_status(execution_arn: str, *, stepfunctions: Any = None) -> str:
    """Return `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, `PENDING_REDRIVE`, or `DELETED`.

    `DELETED` is an execution that ended so long ago that the service has deleted it.
    """
    try:
        answer = (stepfunctions or client("stepfunctions")).describe_execution(executionArn=execution_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return "DELETED"
    return str(answer["status"])
