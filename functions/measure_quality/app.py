"""Measures the realised quality of every champion, or of one group after a file of labels was recorded.

Started every night by EventBridge Scheduler, and by EventBridge for every event "DatasetAccepted" about
labels. Reads the ledger, the labels and the held-out scores; writes one report per group and day, the state
of the group and metrics, publishes an event, and sends an email when quality drops or is as approved again.
Raises QualityError, after all groups were processed, when one could not be measured.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("measure_quality")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Measure the group of the labels, or every group on the day the event was scheduled for."""
    check = dependencies.quality_check
    if "scheduled_at" in event:
        checked = check.run(datetime.fromisoformat(event["scheduled_at"]))
    else:
        detail = event["detail"]
        now = dependencies.now()
        checked = [check.check_labels(detail["group"], detail["upload_id"], detail["n_rows"], now)]
    result = {"groups": [each.to_dict() for each in checked]}
    logger.info("quality measured", measured=result)
    return result
