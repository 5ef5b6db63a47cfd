"""Closes a candidate that was rejected or superseded, or that nobody decided in time.

Started by the states "Reject model", "Supersede model" and "Expire model" of the train_model machine. Writes
the version's status; sends a mail; publishes a metric and the event ModelRejected, ModelExpired or
ModelSuperseded. Raises TransitionNotAllowedError when the version is in service.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.infrastructure import environment
from mlops.infrastructure.notifications import AwsNotifier
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import decline
from mlops.registry.promotion_notification import notify_decline

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

    notifier: AwsNotifier
    registry: ModelRegistry


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="decline_model"
    )
    notifier = AwsNotifier(
        variables.notification_topic_arn, variables.event_bus_name, variables.metrics_namespace
    )
    return Dependencies(notifier, registry)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the version's final status."""
    needed = dependencies()
    model = decline(
        event["group"],
        event["version"],
        event["outcome"],
        registry=needed.registry,
        by=event.get("decided_by") or "nobody",
        reason=event.get("reason") or "",
    )
    notify_decline(model, needed.registry.champion(model.model_group), needed.notifier)
    logger.info("model closed", group=model.model_group, version=model.version, status=model.status.value)
    return {"group": model.model_group, "version": model.version, "status": model.status.value}
