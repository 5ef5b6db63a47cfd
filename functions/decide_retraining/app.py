"""Shows the page of a proposed retraining (GET, HEAD) and requests the retraining (POST).

Started by the HTTP API at `/retrainings/{token}`. POST records the request and publishes an event that starts
RetrainModel; GET and HEAD write nothing. An error in a link or a form is answered with a page; only faults of
AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.intake.retraining.page import RetrainingPage

logger = Logger()
DEPENDENCIES = Dependencies("decide_retraining")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    page = RetrainingPage(dependencies.retraining_requests, dependencies.link_signer, dependencies.now)
    response = page.reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
