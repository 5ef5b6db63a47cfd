"""Records the predictions of requests in the ledger.

Started by the queue of the function `predict`, with the messages of about a minute. Writes one Parquet file
below `ledger/` for each group, day and version among them, and its record in the registry table. It returns
the messages that cannot be recorded: these come again, and after five times into the dead-letter queue.
Faults of AWS services are raised: then all messages come again.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.ledger.requests import record_messages

logger = Logger()
DEPENDENCIES = Dependencies("record_requests")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Record the requests of the messages; return the ids of those that failed, as SQS expects them."""
    bodies = {record["messageId"]: record["body"] for record in event["Records"]}
    recorded, failed = record_messages(bodies, dependencies.ledger)
    logger.info("requests recorded", n_rows=sum(batch.n_rows for batch in recorded), n_failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
