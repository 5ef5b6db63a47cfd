"""Shows the page of a scored file (GET, HEAD) and leads to one of its files (POST).

Started by the HTTP API at `/results/{token}`. It writes nothing. An error in a link or a form is answered
with a page; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("show_result")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    response = dependencies.result_page.reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
