"""Prepares a training job: publishes the training source and returns the job's settings.

Started by the state "Prepare training" of the train_model machine. Writes the training source to the artifact
bucket, once per content. Raises SettingsError for settings that cannot be trained with, RegistryError when
the champion cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.algorithms.selection import check_settings
from mlops.infrastructure import environment
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.pipelines.jobs.training_job import Machine, TrainingRequest, prepare_training
from mlops.pipelines.jobs.training_source import publish_source
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function; `spot_training` is `on` or `off`."""

    artifact_bucket_name: str
    registry_table_name: str
    training_instance_type: str
    training_timeout_seconds: int
    spot_training: str = "off"
    spot_wait_seconds: int = 0
    training_usd_per_hour: float = 0.0
    tuning_parallel_jobs: int = 0
    training_source_directory: str = "/opt/training"

    @property
    def machine(self) -> Machine:
        """What the deployment lets jobs run on."""
        return Machine(
            instance_type=self.training_instance_type,
            max_runtime_seconds=self.training_timeout_seconds,
            use_spot=self.spot_training == "on",
            max_wait_seconds=self.spot_wait_seconds,
            usd_per_hour=self.training_usd_per_hour,
            parallel_trials=self.tuning_parallel_jobs,
        )


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    environment: Environment
    objects: S3Objects
    registry: ModelRegistry


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(use_dynamodb=True, table_name=variables.registry_table_name)
    return Dependencies(variables, S3Objects(), registry)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the settings of the training job that the event asks for."""
    needed = dependencies()
    request = TrainingRequest.from_dict(event)
    check_settings(request.settings)
    bucket = needed.environment.artifact_bucket_name
    source = publish_source(Path(needed.environment.training_source_directory), needed.objects, bucket)
    champion, earlier = needed.registry.champion(request.group), needed.registry.list_models(request.group)
    machine = needed.environment.machine
    job = prepare_training(request, source, champion, bucket, machine=machine, earlier=earlier)
    logger.info("training prepared", job_name=job["job_name"], source_digest=source.digest)
    return job
