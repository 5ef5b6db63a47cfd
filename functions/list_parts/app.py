"""Lists the parts of a training folder that was closed, and settles how all of them are read.

Started by the state "List parts" of the validate_parts machine. Reads the folder, the settings and the
contract of the group and the beginning of the first parts; writes the request and the list of parts to the
artifact bucket. A folder that cannot be used is a result, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.environment import read
from mlops.infrastructure.upload_events import Upload
from mlops.intake.parts.steps import PartsStorage, list_parts

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    artifact_bucket_name: str
    registry_table_name: str
    max_upload_bytes: int = Limits().max_expanded_bytes
    min_rows: int = Limits().min_rows


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return where the request and the list of parts lie, and how many parts there are."""
    environment = read(Environment)
    limits = Limits(min_rows=environment.min_rows, max_expanded_bytes=environment.max_upload_bytes)
    upload = Upload.from_dict(event["upload"])
    listed = list_parts(upload, storage=storage(environment), limits=limits)
    logger.info("parts listed", upload_id=upload.upload_id, n_parts=listed["n_parts"])
    return listed


@cache
def storage(environment: Environment) -> PartsStorage:
    """Build the storage once per execution environment."""
    return PartsStorage(
        S3Objects(),
        DatasetVersions(DynamoDBTable(environment.registry_table_name)),
        environment.artifact_bucket_name,
    )
