"""Shows the rollback page (GET, HEAD) and puts the previous champion back (POST).

Started by the HTTP API at `/rollbacks/{token}`. POST writes the decision and the champion, sends an email and
publishes a metric and the event ChampionChanged; GET and HEAD write nothing. An error in a link or a form is
answered with a page; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.pages.rollback_page import RollbackPage
from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("roll_back_model")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    response = RollbackPage(dependencies.rollbacks, dependencies.link_signer).reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
