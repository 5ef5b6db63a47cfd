"""Makes an approved version the champion, after checking that its artifact is the approved one.

Started by the state "Promote model" of the train_model machine. Writes the champion in one transaction;
publishes a metric and the events ModelApproved and ChampionChanged. Raises ArtifactError when the artifact is
gone or changed, RegistryError or TransitionNotAllowedError when the version is not the approved one or was
closed meanwhile.
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
from mlops.infrastructure.metric_names import MODELS_PROMOTED
from mlops.infrastructure.s3 import S3Objects
from mlops.models.approval import ApprovalDecision
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import describe_change, promote_approved

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    event_bus_name: str
    metrics_namespace: str
    registry_table_name: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    environment: Environment
    objects: S3Objects
    registry: ModelRegistry


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="promote_model"
    )
    return Dependencies(variables, S3Objects(), registry)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the new champion and the one that it replaced."""
    needed, bus = dependencies(), dependencies().environment.event_bus_name
    promotion = promote_approved(
        event["group"],
        event["version"],
        ApprovalDecision.from_dict(event["approval"]),
        registry=needed.registry,
        objects=needed.objects,
    )
    model = promotion.model
    if promotion.is_new:
        publish(needed.environment.metrics_namespace, [Metric(MODELS_PROMOTED, 1)], group=model.model_group)
    publish_event("ModelApproved", describe_change(model), bus)
    champion = describe_change(model, previous_champion=promotion.previous_champion)
    publish_event("ChampionChanged", champion, bus)
    logger.info("model promoted", group=model.model_group, version=model.version)
    return {
        "group": model.model_group,
        "version": model.version,
        "previous_champion": promotion.previous_champion,
    }
