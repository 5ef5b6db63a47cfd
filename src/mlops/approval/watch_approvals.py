"""The scheduled round over open approvals and rollbacks: remind, deliver, carry out, close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlops.approval.completion import Completion
from mlops.approval.decisions import ABANDONED_BY, ApprovalService, describe_fault
from mlops.approval.emails import compose_reminder
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import has_answered
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.stepfunctions import execution_status, has_ended
from mlops.infrastructure.metric_names import CONFIRMED_APPROVERS, OLDEST_APPROVAL_SECONDS
from mlops.infrastructure.notifications import Notifier
from mlops.models.approval import ApprovalRequest
from mlops.models.errors import ApprovalClosedError, ApprovalError, MlopsError
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.promotion_notification import notify_decline

REMINDERS = 2  # at one and at two thirds of the time limit

# The request that stores a decision also delivers it; only after this long it may have failed.
DELIVERY_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class WatchSummary(Record):
    """What one round did; the age is that of the oldest request that is still pending.

    `faults` names the requests and rollbacks that failed, and why; the next round tries again.
    """

    n_pending: int = 0
    n_reminded: int = 0
    n_delivered: int = 0
    n_carried_out: int = 0
    n_expired: int = 0
    oldest_pending_seconds: float = 0.0
    n_rolled_back: int = 0
    faults: tuple[str, ...] = ()

    def raise_faults(self) -> None:
        """Raise ApprovalError when there are faults."""
        if self.faults:
            raise ApprovalError(f"Some requests could not be processed: {'; '.join(self.faults)}.")


def watch_approvals(completion: Completion, mailer: Mailer, notifier: Notifier) -> WatchSummary:
    """Do what is due for every open request and rollback, and publish the metrics about them.

    A fault with one request or rollback does not stop the others; it is part of the summary.

    Parameters
    ----------
    completion
        Carries out the decisions whose execution has ended; it has the requests and the rollbacks.
    mailer
        Sends the links to the approval page.
    """
    service = completion.service

    def notify_expiry(model: ModelMetadata) -> None:
        notify_decline(model, service.registry.champion(model.model_group), notifier)

    summary = promote_forgotten(completion, watch_requests(completion, mailer, notify_expiry))
    completed = completion.rollbacks.complete_all()
    metrics = [
        Metric(OLDEST_APPROVAL_SECONDS, summary.oldest_pending_seconds, "Seconds"),
        Metric(CONFIRMED_APPROVERS, len(mailer.approvers())),
    ]
    notifier.publish_metrics(metrics, group=None)
    faults = (*summary.faults, *completed.faults)
    return replace(summary, n_rolled_back=completed.n_completed, faults=faults)


def promote_forgotten(completion: Completion, summary: WatchSummary) -> WatchSummary:
    """Promote what was approved automatically, and its execution did not; return the summary with it."""
    for model in completion.forgotten():
        try:
            completion.promote(model, by=model.status_changed_by or "", reason=model.status_reason or "")
            summary = replace(summary, n_carried_out=summary.n_carried_out + 1)
        except aws_errors(MlopsError) as fault:
            summary = replace(summary, faults=(*summary.faults, describe_fault(model, fault)))
    return summary


def watch_requests(
    completion: Completion, mailer: Mailer, notify_expiry: Callable[[ModelMetadata], None]
) -> WatchSummary:
    """Send reminders, deliver and carry out decisions, and close the requests whose execution has ended.

    A reminder is recorded before it is sent, so none is sent twice. The notification that a version has
    expired is sent before its request is closed, so none is lost, and one may come twice.

    Parameters
    ----------
    notify_expiry
        Called with each version that expired because its execution had ended.
    """
    summary = WatchSummary()
    for request in completion.service.table.open():
        try:
            summary = _watch(request, summary, completion, mailer, notify_expiry)
        except aws_errors(MlopsError) as fault:
            summary = replace(summary, faults=(*summary.faults, describe_fault(request, fault)))
    return summary


def _watch(
    request: ApprovalRequest,
    summary: WatchSummary,
    completion: Completion,
    mailer: Mailer,
    notify_expiry: Callable[[ModelMetadata], None],
) -> WatchSummary:
    """Do what is due for one request; return the summary with it."""
    service = completion.service
    if request.decision is not None and not request.is_delivered:
        try:
            return replace(summary, n_delivered=summary.n_delivered + _deliver(service, request))
        except ApprovalClosedError:
            request = service.table.get(request.id_hash) or request  # as the failed delivery has stored it
            if not request.is_over:
                return summary
    execution = execution_status(request.execution_arn)
    if request.decision is not None:
        is_carried_out = has_ended(execution) and completion.carry_out(
            request, request.decision, execution=execution
        )
        return replace(summary, n_carried_out=summary.n_carried_out + is_carried_out)
    if request.is_over or has_ended(execution):
        _close(service, request, notify_expiry)
        return replace(summary, n_expired=summary.n_expired + 1)
    service.record_answers(request)
    age_seconds = (service.now() - request.created_at).total_seconds()
    return replace(
        summary,
        n_pending=summary.n_pending + 1,
        n_reminded=summary.n_reminded + _remind_when_due(service, mailer, request),
        oldest_pending_seconds=max(summary.oldest_pending_seconds, age_seconds),
    )


def reminders_due(request: ApprovalRequest, now: datetime) -> int:
    """Return how many reminders should have been sent by now."""
    began = request.asked_at or request.created_at
    third = (request.expires_at - began) / (REMINDERS + 1)
    return max(min((now - began) // third, REMINDERS), 0) if third > timedelta(0) else 0


def _remind_when_due(service: ApprovalService, mailer: Mailer, request: ApprovalRequest) -> int:
    """Remind the approvers who have not answered, when it is time; return how many emails were sent."""
    now = service.now()
    due = reminders_due(request, now)
    if due <= request.reminders_sent or now >= request.expires_at:
        return 0
    recorded = replace(request, reminders_sent=due, revision=request.revision + 1)
    if not service.table.put(recorded):
        return 0  # another process answers or reminds at this moment
    return remind(service, mailer, recorded)


def remind(service: ApprovalService, mailer: Mailer, request: ApprovalRequest) -> int:
    """Email the approvers who have not answered a new link to the same request; return how many."""
    waiting = [approver for approver in request.approvers if not has_answered(request, approver)]
    approval_id = service.unseal(request)["approval_id"]
    return mailer.send(request, approval_id, waiting, compose_reminder, now=service.now())


def _deliver(service: ApprovalService, request: ApprovalRequest) -> bool:
    if request.decision is None or service.now() - request.decision.decided_at < DELIVERY_GRACE:
        return False
    return service.deliver(request).is_delivered


def _close(
    service: ApprovalService, request: ApprovalRequest, notify_expiry: Callable[[ModelMetadata], None]
) -> None:
    """Close a request whose execution has ended; notify people when that is what expired the version."""
    model = service.expire_version(request)
    if model.status is Status.EXPIRED and model.status_changed_by == ABANDONED_BY:
        notify_expiry(model)
    service.close(request)
