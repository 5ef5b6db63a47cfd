"""Shows the page of a failed training (GET, HEAD) and starts the training again (POST).

Started by the HTTP API at `/retries/{token}`. POST starts an execution and records the attempt; GET and HEAD
write nothing. An error in a link or a form is answered with a page; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.failures.retry_page import RetryPage

logger = Logger()
DEPENDENCIES = Dependencies("retry_training")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    response = RetryPage(dependencies.retries, dependencies.link_signer, dependencies.now).reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
