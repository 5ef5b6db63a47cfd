"""Says why a step of a state machine failed, and keeps a training job that failed as a run.

Started by the state "Explain failure" of every machine. Reads the trials of a tuning job that failed, writes
the failed run, once per training job, and publishes what the job cost. Raises nothing of its own: the machine
goes on without an explanation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.experiment.factory import stack_runs
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.notifications import AwsNotifier
from mlops.pipelines.jobs.sagemaker import SageMakerTrialJobs
from mlops.use_cases.record_failure import FailedTraining, record_failure

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    artifact_bucket_name: str
    metrics_namespace: str
    registry_table_name: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    notifier: AwsNotifier
    runs: RunStore
    trial_jobs: SageMakerTrialJobs


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    runs = stack_runs(variables.registry_table_name, variables.artifact_bucket_name)
    return Dependencies(AwsNotifier("", "", variables.metrics_namespace), runs, SageMakerTrialJobs())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the name of the error, the reason, and what to do."""
    needed = dependencies()
    training = FailedTraining.from_event(event, needed.trial_jobs)
    message = training.explain()
    record_failure(training, message, needed.runs, needed.notifier, now=utc_now())
    logger.info("failure explained", group=training.group, step=training.failure.step, error=message.error)
    return message.to_dict()
