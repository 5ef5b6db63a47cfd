"""Scores a delivered batch with the candidate that waits for approval, and compares it with the champion.

Started by EventBridge for every event "PredictionsReady" of this stack. Writes the shadow predictions and
their agreement below `shadow/` in the artifact bucket, once for each batch and candidate; nothing else reads
them but the approval page and the nightly functions of the ledger. Raises LedgerError when a file is not the
one of the batch: then the event is a dead letter. The batch itself is never changed.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.models.scoring.batch import BatchSummary
from mlops.use_cases.shadow.score_shadow import score_shadow

logger = Logger()
DEPENDENCIES = Dependencies("score_shadow")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Score the batch of the event in shadow; return the candidate, None when nothing was scored."""
    summary = BatchSummary.from_dict(event["detail"])
    scored = score_shadow(summary, dependencies.shadow_scoring)
    result = {
        "group": summary.group,
        "batch_id": summary.batch_id,
        "version": scored.version if scored else None,
        "n_rows": scored.agreement.total.n_rows if scored else 0,
    }
    logger.info("batch scored in shadow", shadow=result)
    return result
