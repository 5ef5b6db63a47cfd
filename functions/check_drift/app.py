"""Checks inputs and predictions of every champion for drift.

Started every night by EventBridge Scheduler. Reads batch profiles, baselines and alert states in the artifact
bucket; writes one report per group and night, the alert states and metrics, and sends emails and an event
when a state changes. Raises DriftError, after all groups were processed, when one could not be checked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("check_drift")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Run the check for the night the event was scheduled for."""
    checks = dependencies.drift_check.run(datetime.fromisoformat(event["scheduled_at"]))
    logger.info("drift checked", groups=len(checks), scheduled_at=event["scheduled_at"])
    return {"groups": [check.to_dict() for check in checks]}
