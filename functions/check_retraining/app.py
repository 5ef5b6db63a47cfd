"""Proposes retrainings by email, or requests them where `model.toml` and the policy of the group allow it.

Started every night by EventBridge Scheduler, and by EventBridge for the events "DriftDetected" and
"QualityDropped" about one group. Reads settings, policies, alert states, quality and the rows that could be
trained on; writes proposals, sends emails and publishes events. Raises TrainingError, after all groups were
checked, when one could not be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("check_retraining")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Check every group, or the one of the event."""
    check = dependencies.retraining_check
    if "scheduled_at" in event:
        checked = check.run(datetime.fromisoformat(event["scheduled_at"]))
    else:
        checked = [check.check(event["detail"]["group"], dependencies.now())]
    result = {"groups": [each.to_dict() for each in checked]}
    logger.info("retraining checked", checked=result)
    return result
