"""Scores an uploaded file with the champion.

Started by the state "Run inference" of the run_inference machine. Writes predictions, reports and the
batch's profile to the artifact bucket, publishes metrics and the event PredictionsReady, and sends a mail; a
batch that is complete already is answered from its manifest. Raises DatasetError for a file that cannot be
scored and ArtifactError for a model that must not be loaded.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.infrastructure import environment
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.clock import utc_now
from mlops.use_cases.batch_notification import AwsNotifier, ScoringEnvironment
from mlops.use_cases.score_batch import ModelCache, ScoringRequest, score_batch

logger = Logger()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker; the models stay loaded between invocations."""

    environment: ScoringEnvironment
    objects: S3Objects
    models: ModelCache


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(ScoringEnvironment)
    return Dependencies(variables, S3Objects(), ModelCache(Path(tempfile.mkdtemp(prefix="models-"))))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Score the file of the event and return what came of it."""
    needed = dependencies()
    summary = score_batch(
        ScoringRequest.from_dict(event),
        needed.objects,
        artifact_bucket=needed.environment.artifact_bucket_name,
        models=needed.models,
        notify=AwsNotifier(needed.environment),
        now=utc_now(),
    )
    logger.info(
        "batch scored", batch_id=summary.batch_id, n_rows=summary.n_rows, verdict=summary.drift_verdict
    )
    return summary.to_dict()
