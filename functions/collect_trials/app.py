"""Adds the trials of a tuning job to the settings of the training job, which fits the best of them.

Started by the state "Collect trials" of the train_model machine. Writes `trials.json` to the artifact bucket;
a repeated call writes the same. Raises TrainingError when no trial has a score.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.pipelines.jobs.trial_jobs import collect_trials

logger = Logger()
DEPENDENCIES = Dependencies("collect_trials")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the settings of the training job with the trials as one more channel."""
    name = event["tuning_job"]["HyperParameterTuningJobName"]
    prepared = collect_trials(event["prepared"], name, dependencies.trial_jobs, dependencies.objects)
    logger.info("trials collected", tuning_job_name=name, n_jobs=prepared["tried"]["n_jobs"])
    return prepared
