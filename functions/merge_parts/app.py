"""Merges the facts of all parts, judges them as one table, and accepts or refuses it.

Started by the state "Merge parts" of the validate_parts machine. Writes one joined dataset to the artifact
bucket and starts its training, or moves the closing object to quarantine; records, mails, events and metrics
are those of a single file. Raises UploadBusyError while another run works on the same upload.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.environment import read
from mlops.infrastructure.notifications import AwsNotifier
from mlops.intake.executions import StepFunctionsExecutions
from mlops.intake.parts.steps import merge_parts
from mlops.intake.ports import IntakePorts
from mlops.models.dataset import Claim
from mlops.models.objects import ObjectRef
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


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Decide about the folder, or ask for its parts to be read once more."""
    now = utc_now()
    # a retry of the state is another run: it waits until this one has ended for certain
    claim = Claim(
        context.aws_request_id, now + timedelta(milliseconds=context.get_remaining_time_in_millis())
    )
    ports = intake_ports(read(Environment))
    result = merge_parts(ObjectRef.from_dict(event["request"]), ports=ports, claim=claim, now=now)
    logger.info("parts merged", extra={"result": result})
    return result


@cache
def intake_ports(environment: Environment) -> IntakePorts:
    """Build the ports once per execution environment."""
    return IntakePorts(
        objects=S3Objects(),
        versions=DatasetVersions(DynamoDBTable(environment.registry_table_name)),
        models=ModelRegistry(use_dynamodb=True, table_name=environment.registry_table_name),
        executions=StepFunctionsExecutions(environment.train_model_state_machine_arn),
        notifier=AwsNotifier(
            environment.notification_topic_arn, environment.event_bus_name, environment.metrics_namespace
        ),
        artifact_bucket=environment.artifact_bucket_name,
    )
