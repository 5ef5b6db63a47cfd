"""Prepares a training job: publishes the training source and returns the job's settings.

Started by the state "Prepare training" of the train_model machine. Writes the training source to the artifact
bucket, once per content, and the row key of the group, once. Raises SettingsError for settings that cannot be
trained with, RegistryError when the champion cannot be read.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.algorithms.selection import check_settings
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.row_key import group_row_key
from mlops.pipelines.jobs.training_job import JobInputs, TrainingRequest, prepare_training
from mlops.pipelines.jobs.training_source import publish_source

logger = Logger()
DEPENDENCIES = Dependencies("prepare_training")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the settings of the training job that the event requests."""
    request, bucket = TrainingRequest.from_dict(event), dependencies.artifact_bucket
    check_settings(request.settings)
    source = publish_source(dependencies.training_source, dependencies.objects, bucket)
    registry = dependencies.registry
    champion, earlier = registry.champion(request.group), registry.list_models(request.group)
    row_key = group_row_key(request.group, dependencies.objects, bucket)
    inputs = JobInputs(source, row_key, champion)
    job = prepare_training(request, inputs, bucket, machine=dependencies.machine, earlier=earlier)
    logger.info("training prepared", job_name=job["job_name"], source_digest=source.digest)
    return job
