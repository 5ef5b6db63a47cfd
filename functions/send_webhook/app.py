"""Sends the subject of a notification to the webhook, as a second channel beside the email.

Started by SNS for each notification, where the parameter WebhookUrl names an address. Writes nothing. Raises
WebhookError when the webhook did not take it; Lambda then tries twice more, and keeps it as a dead letter.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.webhook.message import compose_text

logger = Logger()
DEPENDENCIES = Dependencies("send_webhook")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Send the one notification of the event; return its id."""
    (record,) = event["Records"]
    notification, webhook = record["Sns"], dependencies.webhook
    webhook.send(compose_text(notification, webhook.stack_name), notification["MessageId"])
    logger.info("webhook sent", delivery_id=notification["MessageId"])
    return {"delivery_id": notification["MessageId"]}
