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

from mlops.dataset.parts.listing import Part
from mlops.dataset.parts.steps import survey_part
from mlops.infrastructure.objects import ObjectRef
from mlops.infrastructure.s3 import S3Objects

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
