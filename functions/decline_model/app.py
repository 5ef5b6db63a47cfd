"""Closes a candidate that was rejected or superseded, or that nobody decided in time.

Started by the states "Reject model" and "Expire model" of the train_model machine. Writes the version's
status; sends a mail; publishes a metric and the event ModelRejected, ModelExpired or ModelSuperseded. Raises
TransitionNotAllowedError when the version is in service.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.infrastructure import environment
from mlops.infrastructure.cloudwatch import Metric, publish
from mlops.infrastructure.eventbridge import publish_event
from mlops.infrastructure.metric_names import APPROVALS_EXPIRED
from mlops.infrastructure.sns import send_mail
from mlops.models.registry import Status
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import compose_decline, decline, describe_change

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    registry_table_name: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    environment: Environment
    registry: ModelRegistry


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="decline_model"
    )
    return Dependencies(variables, registry)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the version's final status."""
    needed, variables = dependencies(), dependencies().environment
    model, is_new = decline(
        event["group"],
        event["version"],
        event["outcome"],
        registry=needed.registry,
        by=event.get("decided_by") or "nobody",
        reason=event.get("reason") or "",
    )
    if is_new:
        n_expired = int(model.status is Status.EXPIRED)
        publish(variables.metrics_namespace, [Metric(APPROVALS_EXPIRED, n_expired)], group=model.model_group)
        champion = needed.registry.champion(model.model_group)
        send_mail(variables.notification_topic_arn, *compose_decline(model, champion))
        publish_event(f"Model{model.status.value}", describe_change(model), variables.event_bus_name)
    logger.info("model closed", group=model.model_group, version=model.version, status=model.status.value)
    return {"group": model.model_group, "version": model.version, "status": model.status.value}
