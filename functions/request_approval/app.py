"""Keeps the task token of a waiting candidate and mails every approver a personal link.

Started by the state "Request approval" of the train_model machine, which then waits for the token. Writes the
approval request and the version's status, supersedes older candidates, publishes a metric. Raises
NoApproverError when too few approvers have confirmed their subscription.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.decisions import ApprovalDesk
from mlops.approval.dynamodb import ApprovalTable
from mlops.approval.links import SigningKeys
from mlops.approval.mail import mail_approvers
from mlops.approval.requests import WaitingCandidate, request_approval
from mlops.infrastructure import environment
from mlops.infrastructure.cloudwatch import Metric, publish
from mlops.infrastructure.metric_names import APPROVALS_REQUESTED
from mlops.infrastructure.secretsmanager import read_secret
from mlops.infrastructure.sns import confirmed_emails
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
    desk: ApprovalDesk


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="request_approval"
    )
    table = ApprovalTable(variables.approval_table_name)
    return Dependencies(variables, ApprovalDesk(table, registry, variables.task_token_key_arn))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask; the answer comes through the page. The machine ignores what this returns."""
    desk, variables = dependencies().desk, dependencies().environment
    candidate = WaitingCandidate.from_dict(event)
    opened = request_approval(desk, candidate, confirmed_emails(variables.approval_topic_arn))
    if opened is not None:
        keys = SigningKeys.from_secret(read_secret(variables.approval_signing_secret_arn))
        mail_approvers(
            opened, variables.approval_topic_arn, variables.approval_base_url, keys=keys, now=desk.now()
        )
        publish(variables.metrics_namespace, [Metric(APPROVALS_REQUESTED, 1)], group=candidate.group)
    n_asked = len(opened.request.approvers) if opened else 0
    logger.info("approval requested", group=candidate.group, version=candidate.version, n_asked=n_asked)
    return {"group": candidate.group, "version": candidate.version, "n_asked": n_asked}
