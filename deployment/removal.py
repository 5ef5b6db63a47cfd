"""Remove a stack with everything that it keeps: only for a stack that was made to be thrown away."""

from typing import Any

import boto3

_MINUTES = 30


def remove_stack(session: boto3.Session, stack_name: str) -> None:
    """Stop what runs, delete the stack, then the buckets and tables that a deletion keeps.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
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
    s3: Any = session.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if entries:
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)
