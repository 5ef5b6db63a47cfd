"""Looking after the open requests: reminders, decisions that did not arrive, executions that are gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from mlops.approval.decisions import ABANDONED_BY, ApprovalService, describe_fault
from mlops.approval.emails import compose_reminder
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import has_answered
from mlops.infrastructure.aws.stepfunctions import execution_status
from mlops.models.approval import ApprovalRequest
from mlops.models.errors import ApprovalClosedError, MlopsError
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, Status

REMINDERS = 2  # at one and at two thirds of the time limit

# Whoever decides also delivers; only after this long may something have gone wrong.
DELIVERY_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Round(Record):
    """What one look over the desk found and did; the age is that of the longest wait that goes on.

    `faults` names the requests that could not be looked after, and why; the next round tries again.
    """

    n_pending: int = 0
    n_reminded: int = 0
    n_delivered: int = 0
    n_expired: int = 0
    oldest_pending_seconds: float = 0.0
    faults: tuple[str, ...] = ()


def watch_approvals(
    service: ApprovalService, mailer: Mailer, notify_expiry: Callable[[ModelMetadata], None]
) -> Round:
    """Go over the open requests once: remind, deliver what was decided, close what nobody waits for.

    A reminder is noted before it goes out, so none is sent twice. A version that is expired here is announced
    before its request is closed, so no announcement is lost, and one may come twice. A fault with one request
    keeps nobody from looking after the others.

    Parameters
    ----------
    announce_expiry
        Called with each version that expired because its execution was gone.
    """
    found = Round()
    for request in service.table.open():
        try:
            found = _look_after(request, found, service, mailer, notify_expiry)
        except (BotoCoreError, ClientError, MlopsError) as fault:
            found = replace(found, faults=(*found.faults, describe_fault(request, fault)))
    return found


def _look_after(
    request: ApprovalRequest,
    found: Round,
    service: ApprovalService,
    mailer: Mailer,
    notify_expiry: Callable[[ModelMetadata], None],
) -> Round:
    """Do what is due for one request; return the round with it."""
    if request.decision is not None:
        try:
            return replace(found, n_delivered=found.n_delivered + _deliver(service, request))
        except ApprovalClosedError:
            request = service.table.get(request.id_hash) or request  # as the desk has left it
            if not request.is_over:
                return found
    if request.is_over or execution_status(request.execution_arn) != "RUNNING":
        _close(service, request, notify_expiry)
        return replace(found, n_expired=found.n_expired + 1)
    service.record_answers(request)
    age_seconds = (service.now() - request.created_at).total_seconds()
    return replace(
        found,
        n_pending=found.n_pending + 1,
        n_reminded=found.n_reminded + _remind(service, mailer, request),
        oldest_pending_seconds=max(found.oldest_pending_seconds, age_seconds),
    )


def reminders_due(request: ApprovalRequest, now: datetime) -> int:
    """Return how many reminders should have gone out by now."""
    began = request.asked_at or request.created_at
    third = (request.expires_at - began) / (REMINDERS + 1)
    return max(min((now - began) // third, REMINDERS), 0) if third > timedelta(0) else 0


def _remind(service: ApprovalService, mailer: Mailer, request: ApprovalRequest) -> int:
    """Remind those who have not answered, when it is time; return how many were mailed."""
    now = service.now()
    due = reminders_due(request, now)
    if due <= request.reminders_sent or now >= request.expires_at:
        return 0
    noted = replace(request, reminders_sent=due, revision=request.revision + 1)
    if not service.table.put(noted):
        return 0  # somebody is answering or reminding at this moment
    return remind(service, mailer, noted)


def remind(service: ApprovalService, mailer: Mailer, request: ApprovalRequest) -> int:
    """Mail those who have not answered a new link to the same request; return how many were mailed."""
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
    """Close a request whose execution is gone, and tell people when that is what expired the version."""
    model = service.expire_version(request)
    if model.status is Status.EXPIRED and model.status_changed_by == ABANDONED_BY:
        notify_expiry(model)
    service.close(request)
