"""Merges the facts of all parts, judges them as one table, and accepts or rejects it.

Started by the state "Merge parts" of the validate_parts machine. Writes one joined dataset to the artifact
bucket and starts its training, or moves the closing object to quarantine; records, emails, events and metrics
are the same as for a single file. Raises UploadBusyError while another run processes the same upload.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.parts.merging import merge_parts
from mlops.intake.uploads import claim_until_timeout
from mlops.models.objects import ObjectRef

logger = Logger()
DEPENDENCIES = Dependencies("merge_parts")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Decide about the folder, or return what is needed to read its parts once more."""
    now = dependencies.now()
    # a retry of the state has another request id: it waits until this run has ended for certain
    claim = claim_until_timeout(context.aws_request_id, context.get_remaining_time_in_millis(), now)
    request = ObjectRef.from_dict(event["request"])
    result = merge_parts(request, ports=dependencies.training_intake, claim=claim, now=now)
    logger.info("parts merged", result=result)
    return result
