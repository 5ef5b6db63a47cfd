"""Receives a file that somebody dropped into the data bucket.

Started by EventBridge for every "Object Created" event of the data bucket. Writes dataset versions and
rejected files to the artifact bucket and their records to the registry table, deletes the exact version of a
rejected file, starts the train_model, run_inference or validate_parts machine, sends mails, events and
metrics. A bad file is a result, never an error; what it raises are faults of AWS services, after which the
event may come again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.environment import read
from mlops.infrastructure.notifications import AwsNotifier
from mlops.infrastructure.upload_events import parse_s3_event
from mlops.intake.executions import StepFunctionsExecutions
from mlops.intake.intake import receive_upload
from mlops.intake.ports import IntakePorts
from mlops.models.dataset import Claim
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    artifact_bucket_name: str
    registry_table_name: str
    notification_topic_arn: str
    event_bus_name: str
    metrics_namespace: str
    train_model_state_machine_arn: str
    run_inference_state_machine_arn: str
    validate_parts_state_machine_arn: str
    max_upload_bytes: int = Limits().max_expanded_bytes
    min_rows: int = Limits().min_rows


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Decide what becomes of the uploaded object."""
    upload = parse_s3_event(event)
    environment = read(Environment)
    limits = Limits(min_rows=environment.min_rows, max_expanded_bytes=environment.max_upload_bytes)
    now = utc_now()
    # retries of an asynchronous invocation keep its request id; nothing runs on after the remaining time
    claim = Claim(
        context.aws_request_id, now + timedelta(milliseconds=context.get_remaining_time_in_millis())
    )
    received = receive_upload(upload, ports=intake_ports(environment), limits=limits, claim=claim, now=now)
    result = received.to_dict()
    logger.info("upload received", extra={"received": result})
    return result


@cache
def intake_ports(environment: Environment) -> IntakePorts:
    """Build the ports once per execution environment."""
    return IntakePorts(
        objects=S3Objects(),
        versions=DatasetVersions(DynamoDBTable(environment.registry_table_name)),
        models=ModelRegistry(use_dynamodb=True, table_name=environment.registry_table_name),
        executions=StepFunctionsExecutions(
            environment.train_model_state_machine_arn,
            environment.run_inference_state_machine_arn,
            environment.validate_parts_state_machine_arn,
        ),
        notifier=AwsNotifier(
            environment.notification_topic_arn, environment.event_bus_name, environment.metrics_namespace
        ),
        artifact_bucket=environment.artifact_bucket_name,
    )
