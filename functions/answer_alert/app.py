"""Shows the page of a drift alert (GET, HEAD) and acknowledges or snoozes it (POST).

Started by the HTTP API at `/alerts/{token}`. POST writes the answer and its audit entry into the registry;
GET and HEAD write nothing. An error in a link or a form is answered with a page; only faults of AWS services
are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("answer_alert")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    response = dependencies.alert_page.reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
