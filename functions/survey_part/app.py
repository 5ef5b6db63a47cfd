"""Surveys one part of a training table.

Started by the state "Survey part" of the validate_parts machine, once for each part. Reads the request and
exactly the listed version of the part; writes the part's facts to the artifact bucket. Bad content and a part
that is gone are facts, never errors.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.infrastructure.aws.s3 import S3Objects
from mlops.intake.parts.listing import Part
from mlops.intake.parts.steps import survey_part
from mlops.models.objects import ObjectRef

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Keep the part's facts; return which part it was."""
    part = Part.from_dict(event["part"])
    survey_part(ObjectRef.from_dict(event["request"]), part, objects())
    logger.info("part surveyed", part=part.index, size_bytes=part.size_bytes)
    return {"index": part.index}


@cache
def objects() -> S3Objects:
    """Build the object store once per execution environment."""
    return S3Objects()
