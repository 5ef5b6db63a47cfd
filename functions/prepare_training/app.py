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

from mlops.infrastructure import environment
from mlops.infrastructure.s3 import S3Objects
from mlops.pipelines.algorithms import check_settings
from mlops.pipelines.training_job import TrainingRequest, prepare_training
from mlops.pipelines.training_source import publish_source
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    artifact_bucket_name: str
    registry_table_name: str
    training_source_directory: str = "/opt/training"


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
    job = prepare_training(request, source, needed.registry.champion(request.group), bucket)
    logger.info("training prepared", job_name=job["job_name"], source_digest=source.digest)
    return job
