"""Closes a candidate that was rejected, superseded, or not decided in time.

Started by the states "Reject model", "Supersede model" and "Expire model" of the train_model machine. Writes
the status of the version; sends an email; publishes a metric and the event ModelRejected, ModelExpired or
ModelSuperseded. Raises TransitionNotAllowedError when the version is in service.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.registry.promotion import decline
from mlops.registry.promotion_notification import notify_decline

logger = Logger()
DEPENDENCIES = Dependencies("decline_model")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the version's final status."""
    model = decline(
        event["group"],
        event["version"],
        event["outcome"],
        registry=dependencies.registry,
        by=event.get("decided_by") or "unknown",
        reason=event.get("reason") or "",
    )
    notify_decline(model, dependencies.registry.champion(model.model_group), dependencies.notifier)
    logger.info("model closed", group=model.model_group, version=model.version, status=model.status.value)
    return {"group": model.model_group, "version": model.version, "status": model.status.value}
