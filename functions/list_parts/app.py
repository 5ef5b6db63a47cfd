"""Lists the parts of a closed training folder, and determines how all of them are read.

Started by the state "List parts" of the validate_parts machine. Reads the folder, the settings and the
contract of the group and the beginning of the first parts; writes the request and the list of parts to the
artifact bucket. A folder that cannot be used is a result; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.upload_events import Upload
from mlops.intake.parts.steps import list_parts

logger = Logger()
DEPENDENCIES = Dependencies("list_parts")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return where the request and the list of parts are stored, and how many parts there are."""
    upload = Upload.from_dict(event["upload"])
    listed = list_parts(upload, storage=dependencies.datasets, limits=dependencies.limits)
    logger.info("parts listed", upload_id=upload.upload_id, n_parts=listed["n_parts"])
    return listed
