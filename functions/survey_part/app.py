"""Surveys one part of a training table.

Started by the state "Survey part" of the validate_parts machine, once for each part. Reads the request and
exactly the listed version of the part; writes the facts of the part to the artifact bucket. Bad content or a
deleted part is a fact; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.parts.listing import Part
from mlops.intake.parts.steps import survey_part
from mlops.models.objects import ObjectRef

logger = Logger()
DEPENDENCIES = Dependencies("survey_part")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Store the part's facts; return which part it was."""
    part = Part.from_dict(event["part"])
    survey_part(ObjectRef.from_dict(event["request"]), part, dependencies.objects)
    logger.info("part surveyed", part=part.index, size_bytes=part.size_bytes)
    return {"index": part.index}
