"""The desk and the postbox of a deployed stack, for whoever works without a link."""

from __future__ import annotations

import secrets

from mlops.approval.decisions import ApprovalService
from mlops.approval.mailer import Mailer
from mlops.approval.signing_keys import RotatingKeys, rotate_secret
from mlops.approval.store import RequestStore
from mlops.infrastructure.aws.cloudformation import Stack
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.secretsmanager import read_secret, write_secret
from mlops.registry.model_registry import ModelRegistry


def open_service(stack: Stack, registry: ModelRegistry) -> ApprovalService:
    """Return the approval service of a stack."""
    requests = RequestStore(DynamoDBTable(stack.approval_table_name))
    return ApprovalService(requests, registry, stack.platform_key_arn)


def open_mailer(stack: Stack) -> Mailer:
    """Return the postbox of a stack."""
    keys = RotatingKeys(lambda: read_secret(stack.approval_signing_secret_arn))
    return Mailer(stack.approval_topic_arn, stack.approval_url, keys)


def rotate_key(stack: Stack) -> None:
    """Replace the key that signs links; those that the key before has signed go on working."""
    arn = stack.approval_signing_secret_arn
    write_secret(arn, rotate_secret(read_secret(arn), secrets.token_urlsafe(48)))
