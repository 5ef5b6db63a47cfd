"""Receives a file that was dropped into the data bucket.

Started by EventBridge for every "Object Created" event of the data bucket. Writes dataset versions and
rejected files to the artifact bucket and their records to the registry table, deletes the exact version of a
rejected file, starts the train_model, run_inference or validate_parts machine, and sends emails, events and
metrics. A bad file is a result; only faults of AWS services are raised: then the event is delivered again.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.upload_events import parse_s3_event
from mlops.intake.intake import receive_upload
from mlops.intake.uploads import claim_until_timeout

logger = Logger()
DEPENDENCIES = Dependencies("receive_upload")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return what was done with the uploaded object."""
    upload, now = parse_s3_event(event), dependencies.now()
    # a retry of an asynchronous invocation has the same request id; no run continues after its remaining time
    claim = claim_until_timeout(context.aws_request_id, context.get_remaining_time_in_millis(), now)
    received = receive_upload(
        upload, ports=dependencies.intake, limits=dependencies.limits, claim=claim, now=now
    )
    result = received.to_dict()
    logger.info("upload received", received=result)
    return result
