"""Merges the files of the ledger of every group and closed day into one.

Started every night by EventBridge Scheduler. Reads and writes below `ledger/` in the artifact bucket, moves
shadow predictions from `shadow/rows/` into the columns of their rows, and changes the item of the registry
table that only one run may have. A repeated call is harmless. Raises LedgerError when another run changes the
ledger of a group.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.ledger.merging import merge_closed_days

logger = Logger()
DEPENDENCIES = Dependencies("merge_predictions")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Merge the days before that of the event."""
    scheduled_at = datetime.fromisoformat(event["scheduled_at"])
    days = [
        day.to_dict()
        for day in merge_closed_days(dependencies.ledger, scheduled_at, dependencies.shadow_rows)
    ]
    logger.info("predictions merged", days=days)
    return {"days": days}
