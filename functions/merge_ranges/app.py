"""Merges the scored ranges of a file into the results of one batch.

Started by the state "Merge ranges" of the run_inference machine. Writes what the function run_inference
writes, and notifies in the same way; for a complete batch it returns the stored summary. Raises DatasetError
when too many rows of the file cannot be scored.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.models.objects import ObjectRef
from mlops.use_cases.score_ranges import merge_ranges
from mlops.use_cases.scoring_cost import CostMeter

logger = Logger()
DEPENDENCIES = Dependencies("merge_ranges")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Store the results of the file and return a summary of the batch."""
    summary = merge_ranges(
        ObjectRef.from_dict(event["request"]),
        dependencies.objects,
        models=dependencies.models,
        meter=CostMeter.of_function(context.memory_limit_in_mb),
        notify=dependencies.batch_notifier,
        now=dependencies.now(),
    )
    logger.info("ranges merged", batch_id=summary.batch_id, n_rows=summary.n_rows)
    return summary.to_dict()
