"""Mails that a version is in service, to each approver with a personal link to the rollback page.

Started by the state "Mail promotion" of the train_model machine. Writes the offer to roll back; a repeated
call makes another one and mails again. Raises ModelNotFoundError when there is no such version.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.mailer import Mailer
from mlops.approval.promotion_email import NewChampion, mail_promotion
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
    approval_topic_arn: str
    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    registry_table_name: str
    rollback_base_url: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    service: RollbackService
    mailer: Mailer


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="mail_promotion"
    )
    notifier = AwsNotifier(
        variables.notification_topic_arn, variables.event_bus_name, variables.metrics_namespace
    )
    offers = OfferStore(DynamoDBTable(variables.approval_table_name))
    service = RollbackService(offers, registry, S3Objects(), notifier)
    keys = RotatingKeys(lambda: read_secret(variables.approval_signing_secret_arn))
    return Dependencies(service, Mailer(variables.approval_topic_arn, variables.rollback_base_url, keys))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return how many personal links went out."""
    needed, news = dependencies(), NewChampion.from_dict(event)
    n_links = mail_promotion(news, needed.service, needed.mailer)
    logger.info("promotion mailed", group=news.group, version=news.version, n_links=n_links)
    return {"group": news.group, "version": news.version, "n_links": n_links}
