"""Looks after the open approvals: reminds, delivers decisions that did not arrive, closes what was abandoned.

Started by a schedule. Writes reminders and statuses, carries out rollbacks that were decided but not done;
sends mails; publishes how long the oldest request waits, how many approvers are confirmed, and the event
ModelExpired. A fault with one request or rollback is raised when all others were looked after; what was done
stays done, and the next round goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.decisions import ApprovalService
from mlops.approval.mailer import Mailer
from mlops.approval.rollbacks import RollbackService
from mlops.approval.signing_keys import RotatingKeys
from mlops.approval.store import OfferStore, RequestStore
from mlops.approval.watch import watch_approvals
from mlops.infrastructure import environment
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.infrastructure.metric_names import CONFIRMED_APPROVERS, OLDEST_APPROVAL_SECONDS
from mlops.infrastructure.notifications import AwsNotifier
from mlops.models.errors import ApprovalError
from mlops.models.registry import ModelMetadata
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion_notification import notify_decline

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    approval_base_url: str
    approval_signing_secret_arn: str
    approval_table_name: str
    approval_topic_arn: str
    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    registry_table_name: str
    task_token_key_arn: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    notifier: AwsNotifier
    service: ApprovalService
    mailer: Mailer
    rollbacks: RollbackService


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="watch_approvals"
    )
    table = DynamoDBTable(variables.approval_table_name)
    service = ApprovalService(RequestStore(table), registry, variables.task_token_key_arn)
    keys = RotatingKeys(lambda: read_secret(variables.approval_signing_secret_arn))
    notifier = AwsNotifier(
        variables.notification_topic_arn, variables.event_bus_name, variables.metrics_namespace
    )
    return Dependencies(
        notifier,
        service,
        Mailer(variables.approval_topic_arn, variables.approval_base_url, keys),
        RollbackService(OfferStore(table), registry, S3Objects(), notifier),
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return what this round found and did."""
    needed = dependencies()
    found = watch_approvals(needed.service, needed.mailer, _notify_expiry)
    rolled_back = needed.rollbacks.carry_out_all()
    metrics = [
        Metric(OLDEST_APPROVAL_SECONDS, found.oldest_pending_seconds, "Seconds"),
        Metric(CONFIRMED_APPROVERS, len(needed.mailer.approvers())),
    ]
    needed.notifier.publish_metrics(metrics, group=None)
    faults = (*found.faults, *rolled_back.faults)
    done = found.to_dict() | {"n_rolled_back": rolled_back.n_done, "faults": list(faults)}
    logger.info("approvals watched", **done)
    if faults:
        raise ApprovalError(f"Some requests could not be looked after: {'; '.join(faults)}.")
    return done


def _notify_expiry(model: ModelMetadata) -> None:
    needed = dependencies()
    notify_decline(model, needed.service.registry.champion(model.model_group), needed.notifier)
