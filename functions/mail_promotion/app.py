"""Emails the news of a new champion to each approver, with a personal link to the rollback page.

Started by the state "Mail promotion" of the train_model machine. Writes the offer to roll back; a repeated
call writes another offer and sends its emails. Raises ModelNotFoundError when the version does not exist.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.emails import NewChampion, mail_promotion
from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("mail_promotion")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return how many personal links were sent."""
    champion = NewChampion.from_dict(event)
    n_links = mail_promotion(champion, dependencies.rollbacks, dependencies.rollback_mailer)
    logger.info("promotion mailed", group=champion.group, version=champion.version, n_links=n_links)
    return {"group": champion.group, "version": champion.version, "n_links": n_links}
