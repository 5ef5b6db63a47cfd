"""Hands the trials of a tuning job to the training job, which takes the best of them.

Started by the state "Collect trials" of the train_model machine. Writes `trials.json` to the artifact bucket,
the same for every repetition. Raises TrainingError when no trial has a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.infrastructure.aws.s3 import S3Objects
from mlops.pipelines.jobs.sagemaker import SageMakerTrialJobs
from mlops.pipelines.jobs.trial_jobs import collect_trials

logger = Logger()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    objects: S3Objects
    trial_jobs: SageMakerTrialJobs


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    return Dependencies(S3Objects(), SageMakerTrialJobs())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the settings of the training job with the trials as one more channel."""
    needed, name = dependencies(), event["tuning_job"]["HyperParameterTuningJobName"]
    prepared = collect_trials(event["prepared"], name, needed.trial_jobs, needed.objects)
    logger.info("trials collected", tuning_job_name=name, n_jobs=prepared["tried"]["n_jobs"])
    return prepared
