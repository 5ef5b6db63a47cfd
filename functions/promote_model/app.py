"""Makes an approved version the champion, after a check that its artifact is the approved one.

Started by the state "Promote model" of the train_model machine. Writes the champion in one transaction;
publishes a metric and the events ModelApproved and ChampionChanged. Raises ArtifactError when the artifact
does not exist or has changed, RegistryError or TransitionNotAllowedError when the version is not the approved
one or was closed meanwhile.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.models.approval import ApprovalDecision
from mlops.registry.promotion import promote_approved
from mlops.registry.promotion_notification import notify_promotion

logger = Logger()
DEPENDENCIES = Dependencies("promote_model")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the new champion and the one that it replaced."""
    promotion = promote_approved(
        event["group"],
        event["version"],
        ApprovalDecision.from_dict(event["approval"]),
        registry=dependencies.registry,
        objects=dependencies.objects,
    )
    notify_promotion(promotion, dependencies.notifier)
    group, version = promotion.model.model_group, promotion.model.version
    logger.info("model promoted", group=group, version=version)
    return {"group": group, "version": version, "previous_champion": promotion.previous_champion}
