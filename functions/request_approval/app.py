"""Keeps the task token of a waiting candidate and mails every approver a personal link.

Started by the state "Request approval" of the train_model machine, which then waits for the token. Writes the
approval request and the version's status, supersedes older candidates, publishes a metric. Raises
NoApproverError when too few approvers have confirmed their subscription, or none but the uploader.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.decisions import ApprovalService
from mlops.approval.emails import compose_request
from mlops.approval.mailer import Mailer
from mlops.approval.requests import WaitingCandidate, request_approval
from mlops.approval.signing_keys import RotatingKeys
from mlops.approval.store import RequestStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.cloudwatch import Metric, publish
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.infrastructure.metric_names import APPROVALS_AUTOMATIC, APPROVALS_REQUESTED
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    approval_base_url: str
    approval_signing_secret_arn: str
    approval_table_name: str
    approval_topic_arn: str
    metrics_namespace: str
    registry_table_name: str
    task_token_key_arn: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    environment: Environment
    service: ApprovalService
    objects: S3Objects
    mailer: Mailer


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="request_approval"
    )
    service = ApprovalService(
        RequestStore(DynamoDBTable(variables.approval_table_name)), registry, variables.task_token_key_arn
    )
    keys = RotatingKeys(lambda: read_secret(variables.approval_signing_secret_arn))
    mailer = Mailer(variables.approval_topic_arn, variables.approval_base_url, keys)
    return Dependencies(variables, service, S3Objects(), mailer)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask; the answer comes through the page. The machine ignores what this returns."""
    needed, candidate = dependencies(), WaitingCandidate.from_dict(event)
    service, mailer = needed.service, needed.mailer
    asking = request_approval(service, candidate, mailer.approvers(), objects=needed.objects)
    n_asked, opened = 0, asking.opened
    if opened is not None:
        approvers = opened.request.approvers
        n_asked = mailer.send(
            opened.request, opened.approval_id, approvers, compose_request, now=service.now()
        )
    metrics = [
        Metric(APPROVALS_REQUESTED, int(opened is not None)),
        Metric(APPROVALS_AUTOMATIC, int(asking.is_automatic)),
    ]
    publish(needed.environment.metrics_namespace, metrics, group=candidate.group)
    logger.info("approval requested", group=candidate.group, version=candidate.version, n_asked=n_asked)
    return {"group": candidate.group, "version": candidate.version, "n_asked": n_asked}
