"""Remove a stack with everything that it keeps: only for a stack that was made to be thrown away."""

import time
from typing import Any

import boto3

from deployment.errors import DeploymentError

_MINUTES = 30
_ATTEMPTS, _PAUSE_SECONDS = 30, 30  # as long as a function may run


def remove_stack(session: boto3.Session, stack_name: str) -> None:
    """Stop what runs, delete the stack, then the buckets and tables that a deletion keeps.

    Raises
    ------
    DeploymentError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        Something could not be deleted; what was not reached is left.
    """
    cloudformation = session.client("cloudformation")
    resources = _resources(session, stack_name)
    for machine in resources.get("AWS::StepFunctions::StateMachine", ()):
        _stop_executions(session, machine)
    cloudformation.delete_stack(StackName=stack_name)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack_name, WaiterConfig={"Delay": 10, "MaxAttempts": 6 * _MINUTES})
    for bucket in resources.get("AWS::S3::Bucket", ()):
        _delete_bucket(session, bucket)
    for table in resources.get("AWS::DynamoDB::Table", ()):
        session.client("dynamodb").delete_table(TableName=table)


def _resources(session: boto3.Session, stack_name: str) -> dict[str, list[str]]:
    """Return the names of what was created, by its type."""
    names: dict[str, list[str]] = {}
    pages = session.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack_name):
        for resource in page["StackResourceSummaries"]:
            created = resource.get("PhysicalResourceId")
            if created and resource["ResourceStatus"] != "DELETE_COMPLETE":
                names.setdefault(resource["ResourceType"], []).append(created)
    return names


def _stop_executions(session: boto3.Session, machine: str) -> None:
    """Stop executions, and with them their jobs: a state machine is deleted after its last execution."""
    states = session.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING")
    for page in pages:
        for execution in page["executions"]:
            states.stop_execution(executionArn=execution["executionArn"], cause="The stack is removed.")


def _delete_bucket(session: boto3.Session, bucket: str) -> None:
    """Delete a bucket with all versions; a function that still runs may write meanwhile."""
    s3: Any = session.client("s3")
    for _ in range(_ATTEMPTS):
        _empty(s3, bucket)
        try:
            s3.delete_bucket(Bucket=bucket)
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "BucketNotEmpty":
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    raise DeploymentError(f"The bucket {bucket} is still written to.")


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if entries:
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
