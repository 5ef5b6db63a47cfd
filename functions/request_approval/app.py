"""Stores the task token of a waiting candidate and emails every approver a personal link.

Started by the state "Request approval" of the train_model machine, which then waits for the token. Writes the
approval request and the status of the version, supersedes older candidates, publishes a metric. Announces an
automatic approval by email, where the policy allows one. Raises
NoApproverError when too few approvers have confirmed their subscription, or only the uploader has.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.requests import WaitingCandidate, request_approval
from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("request_approval")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Open the request and email its approvers. The machine ignores what this returns."""
    candidate = WaitingCandidate.from_dict(event)
    n_asked = request_approval(
        candidate,
        dependencies.approvals,
        policies=dependencies.policies,
        mailer=dependencies.approval_mailer,
        objects=dependencies.objects,
        notifier=dependencies.notifier,
    )
    logger.info("approval requested", group=candidate.group, version=candidate.version, n_asked=n_asked)
    return {"group": candidate.group, "version": candidate.version, "n_asked": n_asked}
