"""Explains why a step of a state machine failed, and records and reports a failed training.

Started by the state "Explain failure" of every machine. Reads the trials of a failed tuning job and the cause
of a failed item, writes the failed run, once per training job, and publishes the cost of the job; records
that the training has failed, which permits to start it again, and emails a link that does. Raises only faults
of AWS services, and StepError for a failed item that is not listed yet; the machine then tries again, and
continues without an explanation in the end.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.record_failure import FailedTraining

logger = Logger()
DEPENDENCIES = Dependencies("explain_failure")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the name of the error, the reason, and what to do."""
    training = FailedTraining.from_event(event, dependencies.trial_jobs, dependencies.failed_item)
    explanation = dependencies.failure_recorder.record(training, training.explain(), now=dependencies.now())
    logger.info(
        "failure explained", group=training.group, step=training.failure.step, error=explanation.error
    )
    return explanation.to_dict()
