"""Shows the approval page and the model card (GET, HEAD) and takes the decision (POST).

Started by the HTTP API at `/approvals/{token}` and `/approvals/{token}/card`. POST writes the decision and
answers the execution that waits; GET and HEAD write nothing. Whatever is wrong with a link or a form is
answered with a page; only faults of AWS raise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.decisions import ApprovalService
from mlops.approval.pages.approval_page import ApprovalPage
from mlops.approval.signing_keys import RotatingKeys
from mlops.approval.store import RequestStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.aws.secretsmanager import read_secret
from mlops.registry.model_registry import ModelRegistry

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    approval_signing_secret_arn: str
    approval_table_name: str
    registry_table_name: str
    task_token_key_arn: str


@cache
def approval_page() -> ApprovalPage:
    """Make the page with its dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="decide_approval"
    )
    service = ApprovalService(
        RequestStore(DynamoDBTable(variables.approval_table_name)), registry, variables.task_token_key_arn
    )
    keys = RotatingKeys(lambda: read_secret(variables.approval_signing_secret_arn))
    return ApprovalPage(service, S3Objects(), keys)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    answer = approval_page().reply(event)
    logger.info("page answered", status=answer["statusCode"])
    return answer
