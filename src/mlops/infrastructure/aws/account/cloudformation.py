"""What a deployed stack says of itself: the outputs of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure import environment
from mlops.infrastructure.aws.clients import client, error_code
from mlops.models.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Stack:
    """The outputs that the command line needs; `ApprovalTableName` becomes `approval_table_name`."""

    allow_automatic_approval: str
    approval_signing_secret_arn: str
    approval_table_name: str
    approval_topic_arn: str
    approval_url: str
    approver_emails: str
    artifact_bucket_name: str
    data_bucket_name: str
    event_bus_name: str
    feature_database_name: str
    feature_table_name: str
    ledger_database_name: str
    ledger_workgroup_name: str
    metrics_namespace: str
    minimum_approvals: str
    notification_topic_arn: str
    platform_key_arn: str
    policy_table_name: str
    predict_url: str
    registry_table_name: str
    result_signing_secret_arn: str
    rollback_url: str
    train_model_state_machine_arn: str
    training_usd_per_hour: str = "0"


def read_stack(name: str, *, cloudformation: Any = None) -> Stack:
    """Return the outputs of the stack of that name.

    Raises
    ------
    SettingsError
        If the stack does not exist, or it was not made from this version of the template.
    """
    try:
        answer = (cloudformation or client("cloudformation")).describe_stacks(StackName=name)
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise SettingsError(
            f"There is no stack {name!r} in this account and region; `aws cloudformation list-stacks` "
            'names those that are there, and `eval "$(python -m local env)"` points at the local cloud.'
        ) from error
    outputs = {_as_variable(o["OutputKey"]): o["OutputValue"] for o in answer["Stacks"][0].get("Outputs", [])}
    try:
        return environment.read(Stack, outputs)
    except SettingsError as error:
        raise SettingsError(
            f"The stack {name!r} lacks an output of this version of mlops; deploy it again ({error})"
        ) from error


def stack_resources(name: str, kind: str, *, cloudformation: Any = None) -> dict[str, str]:
    """Return the physical ids of the resources of a type, such as `AWS::SQS::Queue`, by logical id."""
    pages = (cloudformation or client("cloudformation")).get_paginator("list_stack_resources")
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == kind
    }


def stack_parameter(name: str, parameter: str, *, cloudformation: Any = None) -> str:
    """Return the value of one parameter of the stack; an empty text when it has no such parameter."""
    answer = (cloudformation or client("cloudformation")).describe_stacks(StackName=name)
    parameters = answer["Stacks"][0].get("Parameters", [])
    return next((p["ParameterValue"] for p in parameters if p["ParameterKey"] == parameter), "")


def stack_output(name: str, output: str, *, cloudformation: Any = None) -> str:
    """Return the value of one output of the stack; an empty text when it has no such output."""
    answer = (cloudformation or client("cloudformation")).describe_stacks(StackName=name)
    outputs = answer["Stacks"][0].get("Outputs", [])
    return next((o["OutputValue"] for o in outputs if o["OutputKey"] == output), "")


def _as_variable(output: str) -> str:
    """`ApprovalTableName` becomes `APPROVAL_TABLE_NAME`."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in output).lstrip("_").upper()
