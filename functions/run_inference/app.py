"""Scores an uploaded file with the champion.

Started by the state "Run inference" of the run_inference machine. Writes predictions, reports and the profile
of the batch to the artifact bucket, publishes metrics and the event PredictionsReady, and sends an email; for
a complete batch it returns the stored summary. Raises DatasetError for a file that cannot be scored and
ArtifactError for a model that must not be loaded.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.score_batch import ScoringRequest, score_batch
from mlops.use_cases.scoring_cost import CostMeter

logger = Logger()
DEPENDENCIES = Dependencies("run_inference")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Score the file of the event and return a summary of the batch."""
    summary = score_batch(
        ScoringRequest.from_dict(event),
        dependencies.objects,
        artifact_bucket=dependencies.artifact_bucket,
        models=dependencies.models,
        meter=CostMeter.of_function(context.memory_limit_in_mb),
        notify=dependencies.batch_notifier,
        now=dependencies.now(),
    )
    logger.info(
        "batch scored", batch_id=summary.batch_id, n_rows=summary.n_rows, verdict=summary.drift_verdict
    )
    return summary.to_dict()
