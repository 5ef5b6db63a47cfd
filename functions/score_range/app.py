"""Scores one range of the rows of a file.

Started by the state "Score range" of the run_inference machine, once for each range. Reads the request, the
model and the bytes of the range; writes its predictions and what was counted to the artifact bucket. Bad rows
are counted; only a model that must not be loaded and faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.dataset.validation.row_ranges import RowRange
from mlops.models.objects import ObjectRef
from mlops.use_cases.score_ranges import score_range
from mlops.use_cases.scoring_cost import CostMeter

logger = Logger()
DEPENDENCIES = Dependencies("score_range")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Store the predictions of the range; return which one it was."""
    meter = CostMeter.of_function(context.memory_limit_in_mb)
    request, row_range = ObjectRef.from_dict(event["request"]), RowRange.from_dict(event["range"])
    n_rows = score_range(request, row_range, dependencies.objects, models=dependencies.models, meter=meter)
    logger.info("range scored", range=row_range.index, n_rows=n_rows)
    return {"index": row_range.index}
