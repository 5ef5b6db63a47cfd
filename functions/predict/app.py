"""Predicts the rows of a request with the champion of the group.

Started by the HTTP API at `POST /groups/{group}/predict`. It reads the registry and the model, and puts the
predictions into the queue of the ledger before it answers. An error in a request is answered with a status
and a sentence; only faults of AWS services are raised. Rows are not logged.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.predict.http import answer_request

logger = Logger()
DEPENDENCIES = Dependencies("predict")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    response = answer_request(event, dependencies.predictor)
    logger.info(
        "request answered", status=response["statusCode"], api_request=event["requestContext"]["requestId"]
    )
    return response
