"""Shows the rollback page (GET, HEAD) and puts the previous champion back (POST).

Started by the HTTP API at `/rollbacks/{token}`. POST writes the decision and the champion, sends a mail and
publishes a metric and the event ChampionChanged; GET and HEAD write nothing. Whatever is wrong with a link or
a form is answered with a page; only faults of AWS raise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.pages.rollback_page import RollbackPage
from mlops.approval.rollbacks import RollbackService
from mlops.approval.signing_keys import RotatingKeys
from mlops.approval.store import OfferStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.infrastructure.notifications import AwsNotifier
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    approval_signing_secret_arn: str
    approval_table_name: str
    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    registry_table_name: str


@cache
def rollback_page() -> RollbackPage:
    """Make the page with its dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="roll_back_model"
    )
    notifier = AwsNotifier(
        variables.notification_topic_arn, variables.event_bus_name, variables.metrics_namespace
    )
    offers = OfferStore(DynamoDBTable(variables.approval_table_name))
    service = RollbackService(offers, registry, S3Objects(), notifier)
    return RollbackPage(service, RotatingKeys(lambda: read_secret(variables.approval_signing_secret_arn)))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    answer = rollback_page().reply(event)
    logger.info("page answered", status=answer["statusCode"])
    return answer
