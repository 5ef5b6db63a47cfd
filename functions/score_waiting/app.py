"""Hands the files to score that waited for a model to intake, when their group has its first champion.

Started by the event ChampionChanged on the default bus. Reads the records of the group's uploads; starts
ReceiveUpload once for each file that waits. Raises only faults of AWS services. A repeated call is harmless:
intake scores an upload once.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.waiting import start_waiting

logger = Logger()
DEPENDENCIES = Dependencies("score_waiting")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return how many files of the group are scored now."""
    group = event["detail"]["group"]
    n_started = start_waiting(
        group,
        dependencies.versions,
        dependencies.objects,
        dependencies.start_intake,
        bucket=dependencies.data_bucket,
    )
    logger.info("waiting files handed over", group=group, n_started=n_started)
    return {"group": group, "n_started": n_started}
