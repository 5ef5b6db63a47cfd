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
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.notifications import AwsNotifier
from mlops.models.approval import ApprovalDecision
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion import promote_approved
from mlops.registry.promotion_notification import notify_promotion

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

    notifier: AwsNotifier
    objects: S3Objects
    registry: ModelRegistry


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="promote_model"
    )
    notifier = AwsNotifier("", variables.event_bus_name, variables.metrics_namespace)
    return Dependencies(notifier, S3Objects(), registry)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the new champion and the one that it replaced."""
    needed = dependencies()
    promotion = promote_approved(
        event["group"],
        event["version"],
        ApprovalDecision.from_dict(event["approval"]),
        registry=needed.registry,
        objects=needed.objects,
    )
    notify_promotion(promotion, needed.notifier)
    model = promotion.model
    logger.info("model promoted", group=model.model_group, version=model.version)
    return {
        "group": model.model_group,
        "version": model.version,
        "previous_champion": promotion.previous_champion,
    }
