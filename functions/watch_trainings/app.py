"""Finds trainings whose execution has ended without reporting it, such as one that a person stopped.

Started by a schedule. Reads the status of the execution of every open training; records those that have
failed, as runs and as failed, and emails a link that starts them again. Raises TrainingError, after all
trainings were checked, when one of them could not be; the next round tries again.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("watch_trainings")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return what was found in this round."""
    summary = dependencies.training_watch.run(dependencies.now())
    done = summary.to_dict()
    logger.info("trainings watched", **done)
    summary.raise_faults()
    return done
