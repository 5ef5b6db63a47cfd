"""Makes the training set of a requested retraining and starts its training, once.

Started by EventBridge for every event "RetrainingRequested". Reads accepted files, the ledger and its labels;
writes the training set as a dataset version, starts an execution, and publishes "RetrainingStarted" or emails
why nothing was started. Raises TrainingError for a retraining that no one has requested.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("retrain_model")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Start the retraining of the event."""
    detail = event["detail"]
    started = dependencies.retraining_start.start(
        detail["group"], detail["retraining_id"], dependencies.now()
    )
    result = {
        "group": started.group,
        "retraining_id": started.retraining_id,
        "status": started.status,
        "training_id": started.training_id,
    }
    logger.info("retraining answered", retraining=result)
    return result
