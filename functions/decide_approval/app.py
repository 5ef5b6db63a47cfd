"""Shows the approval page and the model card (GET, HEAD) and takes the decision (POST).

Started by the HTTP API at `/approvals/{token}` and `/approvals/{token}/card`. POST writes the decision and
sends it to the waiting execution; GET and HEAD write nothing. An error in a link or a form is answered with a
page; only faults of AWS services are raised.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.pages.approval_page import ApprovalPage
from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("decide_approval")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Answer one HTTP request."""
    page = ApprovalPage(
        dependencies.approvals,
        dependencies.objects,
        dependencies.link_signer,
        dependencies.shadow_archive,
    )
    response = page.reply(event)
    logger.info("page answered", status=response["statusCode"])
    return response
