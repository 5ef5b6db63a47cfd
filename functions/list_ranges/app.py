"""Cuts a large file to score into ranges of its rows.

Started by the state "List ranges" of the run_inference machine. Reads the whole file and the model; writes
the request of the next steps and the list of ranges to the artifact bucket. Raises DatasetError for a file
that cannot be scored and ArtifactError for a model that must not be loaded.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.score_batch import ScoringRequest
from mlops.use_cases.score_ranges import list_ranges
from mlops.use_cases.scoring_cost import CostMeter

logger = Logger()
DEPENDENCIES = Dependencies("list_ranges")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return where the request and the list of ranges are stored, and how many ranges there are."""
    listed = list_ranges(
        ScoringRequest.from_dict(event),
        dependencies.objects,
        artifact_bucket=dependencies.artifact_bucket,
        models=dependencies.models,
        meter=CostMeter.of_function(context.memory_limit_in_mb),
    )
    logger.info("ranges listed", batch_id=event["batch_id"], n_ranges=listed["n_ranges"])
    return listed
