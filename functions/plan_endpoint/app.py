"""Plans the next step of moving the endpoint of a group to its champion.

Started by the state "Plan endpoint" of the move_endpoint machine, again after each step. Reads the registry
and what exists in SageMaker; writes the archive that the endpoint loads, deletes the one that it loaded
before, and publishes the events EndpointReady and EndpointFailed. Raises ArtifactError when the archive of
the champion is not the registered one. A repeated call plans the same step.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("plan_endpoint")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the plan: the step to do next, and what it needs."""
    plan = dependencies.endpoint_planner.next_step(
        event["group"], event.get("plan"), event.get("cause") or ""
    )
    logger.info("endpoint planned", group=plan["group"], version=plan["version"], step=plan["step"])
    return plan
