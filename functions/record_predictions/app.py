"""Records the predictions of a scored batch in the ledger.

Started by EventBridge for every event "PredictionsReady" of this stack. Reads manifest and predictions of
the batch; writes one Parquet file below `ledger/` and then the record of the batch in the registry table,
once for each batch. Raises LedgerError when the predictions are not those of the batch: then the event is a
dead letter.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.models.scoring.batch import BatchSummary
from mlops.use_cases.record_predictions import record_predictions

logger = Logger()
DEPENDENCIES = Dependencies("record_predictions")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Record the batch of the event; return its ids and how many rows it has."""
    summary = BatchSummary.from_dict(event["detail"])
    recorded = record_predictions(summary, dependencies.objects, dependencies.ledger)
    result = {
        "group": summary.group,
        "batch_id": summary.batch_id,
        "n_rows": recorded.n_rows,
        "model_version": recorded.batch.model_version,
    }
    logger.info("predictions recorded", recorded=result)
    return result
