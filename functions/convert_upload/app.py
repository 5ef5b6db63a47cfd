"""Converts an uploaded file of another format (Parquet, JSON, Excel, zip, zstandard) into CSV.

Started by EventBridge for every event "ConversionRequested" of intake. Writes the table and the record of
the conversion to the artifact bucket, once for each upload and choice of a sheet, then starts ReceiveUpload
again. A bad file is a result; only faults of AWS services are raised: then the event is delivered again.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.conversion import ConversionRequest, convert_upload

logger = Logger()
DEPENDENCIES = Dependencies("convert_upload")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Convert the upload of the event; return the result as ids and codes, so that it may be logged."""
    request = ConversionRequest.from_dict(event["detail"])
    stored = convert_upload(
        request,
        dependencies.objects,
        dependencies.start_intake,
        artifact_bucket=dependencies.artifact_bucket,
        limits=dependencies.limits,
    )
    result = {
        "group": request.upload.group,
        "upload_id": request.upload.upload_id,
        "source_format": stored.conversion.source_format if stored else None,
        "rule_ids": [finding.rule_id for finding in stored.conversion.findings] if stored else [],
        "is_converted": stored is not None and stored.content is not None,
    }
    logger.info("upload converted", converted=result)
    return result
