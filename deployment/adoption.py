"""Go on with the buckets and tables that a removed stack left: they become part of the new stack.

CloudFormation imports them into a stack that has nothing else; the deployment then adds everything else.
Buckets are imported without their properties, which the deployment sets again; tables with them, because a
table refuses settings that it has already.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError, WaiterError

from deployment.errors import DeploymentError
from deployment.settings import parse_parameters

_IDENTIFIERS = {"AWS::S3::Bucket": "BucketName", "AWS::DynamoDB::Table": "TableName"}
_HIDDEN = "****"  # the value of a parameter that CloudFormation does not show


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed stack: the names of what it left, by logical id, and its parameters."""

    resources: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs that name its registry and its artifacts, as far as it left them."""
        names = {"RegistryTableName": "RegistryTable", "ArtifactBucketName": "ArtifactBucket"}
        return {output: self.resources[name] for output, name in names.items() if name in self.resources}


def find_removed(session: boto3.Session, stack_name: str, template: Mapping[str, Any]) -> Removed | None:
    """Return the stack of that name which was removed last and left something; CloudFormation knows 90 days.

    Raises
    ------
    botocore.exceptions.ClientError
        The stacks cannot be listed.
    """
    cloudformation = session.client("cloudformation")
    for stack_id in _removed_stacks(cloudformation, stack_name):
        resources = _left(cloudformation, stack_id, template)
        if resources:
            (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
            values = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
            parameters = template["Parameters"]
            kept = {name: value for name, value in values.items() if name in parameters and value != _HIDDEN}
            return Removed(resources, kept)
    return None


def removed_of(requested: str, removed: Removed | None, template: Mapping[str, Any]) -> Removed:
    """Return what a request means: `yes`, or names such as `DataBucket=a RegistryTable=b`.

    Raises
    ------
    DeploymentError
        No removed stack left anything, or a name is not that of a bucket or a table of the template.
    """
    if requested == "yes":
        if removed is None:
            raise DeploymentError(
                "No removed stack of this name left buckets or tables within 90 days: name them, such as "
                f"ADOPT='{' '.join(f'{name}=..' for name in adoptable(template))}', or leave ADOPT out."
            )
        return removed
    named = parse_parameters(requested)
    unknown = sorted(set(named) - set(adoptable(template)))
    if unknown or not named:
        raise DeploymentError(
            f"ADOPT={requested!r} cannot be used: write yes, or names of {', '.join(adoptable(template))}."
        )
    return Removed(named, removed.parameters if removed else {})


def adoptable(template: Mapping[str, Any]) -> dict[str, str]:
    """Return the types of the resources that a deletion of the stack keeps, by logical id."""
    return {
        name: resource["Type"]
        for name, resource in template["Resources"].items()
        if resource["Type"] in _IDENTIFIERS and "DeletionPolicy" in resource
    }


def import_template(template: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the template of a stack with nothing but these resources, and with all parameters.

    The stack keeps the values of parameters that a later deployment does not name.
    """
    resources = {name: dict(template["Resources"][name]) for name in names}
    for resource in resources.values():
        if resource["Type"] == "AWS::S3::Bucket":
            del resource["Properties"]
    return {
        "Parameters": template["Parameters"],
        "Conditions": template["Conditions"],
        "Resources": resources,
    }


def adopt(
    session: boto3.Session,
    stack_name: str,
    template: Mapping[str, Any],
    names: Mapping[str, str],
    parameters: Mapping[str, str],
) -> None:
    """Make a stack of these resources; their content and settings stay as they are.

    Raises
    ------
    DeploymentError
        One does not exist or belongs to another stack; the message is that of CloudFormation.
    """
    cloudformation: Any = session.client("cloudformation")
    part, types = import_template(template, names), adoptable(template)
    change_set = {"StackName": stack_name, "ChangeSetName": f"adopt-{uuid4().hex}"}
    try:
        cloudformation.create_change_set(
            **change_set,
            ChangeSetType="IMPORT",
            TemplateBody=json.dumps(part),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": parameters[name]}
                for name in part["Parameters"]
                if name in parameters
            ],
            ResourcesToImport=[
                {
                    "ResourceType": types[name],
                    "LogicalResourceId": name,
                    "ResourceIdentifier": {_IDENTIFIERS[types[name]]: physical},
                }
                for name, physical in names.items()
            ],
        )
        _wait(cloudformation, "change_set_create_complete", change_set)
        cloudformation.execute_change_set(**change_set)
        _wait(cloudformation, "stack_import_complete", {"StackName": stack_name})
    except (ClientError, WaiterError) as error:
        raise DeploymentError(f"The resources cannot be taken over: {_reason(error)}") from error


def _wait(cloudformation: Any, waiter: str, arguments: Mapping[str, str]) -> None:
    cloudformation.get_waiter(waiter).wait(**arguments, WaiterConfig={"Delay": 3, "MaxAttempts": 200})


def _reason(error: ClientError | WaiterError) -> str:
    if isinstance(error, WaiterError):
        answer: Any = error.last_response
        described = answer["Stacks"][0] if "Stacks" in answer else answer
        return str(described.get("StatusReason") or described.get("StackStatusReason") or error)
    return str(error)


def _removed_stacks(cloudformation: Any, stack_name: str) -> list[str]:
    """Return the ids of the removed stacks of a name, the newest first."""
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    stacks = [each for page in pages for each in page["StackSummaries"] if each["StackName"] == stack_name]
    stacks.sort(key=lambda each: each["CreationTime"], reverse=True)
    return [each["StackId"] for each in stacks]


def _left(cloudformation: Any, stack_id: str, template: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of what the deletion of a stack has left, by logical id."""
    types = adoptable(template)
    left: dict[str, str] = {}  # events come newest first
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            name, kind = event["LogicalResourceId"], event.get("ResourceType")
            if event.get("ResourceStatus") == "DELETE_SKIPPED" and types.get(name) == kind:
                # an older one is of a resource that an update has replaced
                left.setdefault(name, event["PhysicalResourceId"])
    return left
