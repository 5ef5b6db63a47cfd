"""Processes the open approvals: sends reminders, carries out decisions, closes abandoned requests.

Started by a schedule. Writes reminders and statuses; carries out decisions whose execution has ended, and
rollbacks that were decided but not done; sends emails; publishes the age of the oldest request, the number of
confirmed approvers, and the events about the versions that changed. Raises ApprovalError, after all requests
and rollbacks were processed, when one of them failed; the next round tries again.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.approval.watch_approvals import watch_approvals
from mlops.context.dependencies import Dependencies

logger = Logger()
DEPENDENCIES = Dependencies("watch_approvals")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return what was done in this round."""
    summary = watch_approvals(dependencies.completion, dependencies.approval_mailer, dependencies.notifier)
    done = summary.to_dict()
    logger.info("approvals watched", **done)
    summary.raise_faults()
    return done
