"""Which permissions a task of a state machine needs on AWS, per integration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_actions
from ministack.core.iam_actions import dynamodb_transaction_checks
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

_PREFIX = "arn:aws:states:::"
_SDK_NAMESPACES = {"sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs"}
# S3 operations whose IAM action has another name, or that work on the bucket itself.
_S3_ACTIONS = {"headObject": "s3:GetObject", "listObjectsV2": "s3:ListBucket", "headBucket": "s3:ListBucket"}


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that the role must allow, and the error of a state that it does not."""

    action: str
    resource: str
    error: str
    context: Mapping[str, Any] = field(default_factory=dict)


def permissions_of(resource: str, arguments: Any) -> list[Permission]:
    """Return what a task needs before its call; those of SageMaker jobs are checked by the service."""
    arguments = arguments if isinstance(arguments, dict) else {}
    if ":function:" in resource:
        return [Permission("lambda:InvokeFunction", resource, "Lambda.AWSLambdaException")]
    integration = resource.removeprefix(_PREFIX).replace(".sync:2", "").replace(".sync", "")
    if integration.startswith("aws-sdk:"):
        _, service, operation = integration.split(":", 2)
        return _sdk_permissions(service, operation, arguments)
    service, _, operation = integration.partition(":")
    find = {
        "lambda": _lambda_permissions,
        "sns": _sns_permissions,
        "sqs": _sqs_permissions,
        "events": _event_permissions,
        "dynamodb": _dynamodb_permissions,
        "states": _execution_permissions,
    }.get(service)
    return [] if find is None else find(operation, arguments, ".sync" in resource)


def _lambda_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: ARG001, FBT001
    name = str(arguments.get("FunctionName", ""))
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    )
    return [Permission("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")]


def _sns_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: ARG001, FBT001
    return [Permission("sns:Publish", str(arguments.get("TopicArn", "*")), "SNS.AuthorizationErrorException")]


def _sqs_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: ARG001, FBT001
    name = str(arguments.get("QueueUrl", "")).rsplit("/", 1)[-1]
    arn = f"arn:aws:sqs:{get_region()}:{get_account_id()}:{name}"
    return [Permission("sqs:SendMessage", arn, "SQS.SqsException")]


def _event_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: ARG001, FBT001
    needed = []
    for entry in arguments.get("Entries", []):
        bus = str(entry.get("EventBusName") or "default")
        arn = (
            bus
            if bus.startswith("arn:")
            else f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}"
        )
        needed.append(Permission("events:PutEvents", arn, "EventBridge.AccessDeniedException"))
    return needed


def _dynamodb_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: FBT001, ARG001
    return [_dynamodb_permission(_capitalised(operation), arguments, "DynamoDB.AmazonDynamoDBException")]


def _dynamodb_permission(operation: str, arguments: dict[str, Any], error: str) -> Permission:
    table = str(arguments.get("TableName", "*")).rsplit("/", 1)[-1]
    return Permission(
        f"dynamodb:{operation}", f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{table}", error
    )


def _execution_permissions(operation: str, arguments: dict[str, Any], waits: bool) -> list[Permission]:  # noqa: ARG001, FBT001
    machine, error = str(arguments.get("StateMachineArn", "*")), "StepFunctions.AccessDeniedException"
    needed = [Permission("states:StartExecution", machine, error)]
    if waits:
        executions = machine.replace(":stateMachine:", ":execution:") + ":*"
        needed += [Permission(f"states:{verb}Execution", executions, error) for verb in ("Describe", "Stop")]
        needed += managed_rule_permissions("StepFunctionsGetEventsForStepFunctionsExecutionRule", error)
    return needed


def managed_rule_permissions(rule: str, error: str) -> list[Permission]:
    """Return what `.sync` needs on the rule by which Step Functions hears of the end of a job."""
    arn = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{rule}"
    return [Permission(f"events:{verb}", arn, error) for verb in ("PutTargets", "PutRule", "DescribeRule")]


def _sdk_permissions(service: str, operation: str, arguments: dict[str, Any]) -> list[Permission]:
    """Return what an `aws-sdk:` task needs: its own action, on what its arguments name."""
    name, namespace = _capitalised(operation), _SDK_NAMESPACES.get(service.lower(), service.lower())
    prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service.lower(), service.capitalize())
    error = f"{prefix}.{prefix}Exception"
    body, region, account = json.dumps(arguments).encode(), get_region(), get_account_id()
    if namespace == "s3":
        bucket = f"arn:aws:s3:::{arguments.get('Bucket')}"
        arn = f"{bucket}/{arguments['Key']}" if "Key" in arguments else bucket
        return [Permission(_S3_ACTIONS.get(operation, f"s3:{name}"), arn, error)]
    if namespace == "dynamodb":
        checks = dynamodb_transaction_checks(f"dynamodb:{name}", body, region, account)
        if checks:
            return [Permission(action, arn, error) for action, arn in checks]
        return [_dynamodb_permission(name, arguments, error)]
    if namespace == "cloudwatch":
        context = {"cloudwatch:namespace": arguments.get("Namespace")}
        return [Permission(f"cloudwatch:{name}", "*", error, context)]
    key = stepfunctions._AWS_SDK_SERVICE_MAP.get(service.lower(), {}).get("service_key", service.lower())
    wire = arguments if namespace != "states" else stepfunctions._convert_keys_to_camel(arguments)
    headers = {"x-amz-target": f"{service}.{name}", "content-type": "application/x-amz-json-1.1"}
    arn = iam_actions.extract_resource_arn(
        key, "POST", "/", headers, json.dumps(wire).encode(), arguments, region, account
    )
    return [Permission(f"{namespace}:{name}", arn, error)]


def _capitalised(operation: str) -> str:
    return operation[:1].upper() + operation[1:]
