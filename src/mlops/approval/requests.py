"""Approval requests: one is opened for a waiting candidate, older ones are superseded."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlops.approval.attachments import read_details
from mlops.approval.decisions import ApprovalService
from mlops.approval.emails import compose_automatic_approval, compose_request
from mlops.approval.evidence import gather
from mlops.approval.mailer import Mailer
from mlops.approval.policy.automatic import may_approve_automatically
from mlops.approval.policy.effective import EffectivePolicy
from mlops.approval.policy.store import Policies
from mlops.approval.quorum import is_uploader
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.stepfunctions import send_task_success
from mlops.infrastructure.metric_names import APPROVALS_AUTOMATIC, APPROVALS_REQUESTED
from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.links.link import hash_subject
from mlops.models.approval import ApprovalDecision, ApprovalRequest, Evidence, RequestStatus
from mlops.models.errors import NoApproverError
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, Status

# The execution's own clock started before ours and must never run out first.
_SAFETY_SECONDS = 60

_AHEAD = (Status.PENDING_APPROVAL, Status.APPROVED, Status.CHAMPION)


@dataclass(frozen=True, slots=True)
class WaitingCandidate(Record):
    """A candidate whose execution waits for an answer to its task token."""

    group: str
    version: str
    task_token: str
    execution_arn: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """A request that is pending, with the id that goes into the links of its approvers."""

    request: ApprovalRequest
    approval_id: str


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """The result for a waiting candidate: a pending request, an automatic decision that is still to be
    announced and sent, or neither because its execution has its answer.
    """

    opened: OpenedRequest | None = None
    automatic: ApprovalDecision | None = None


def request_approval(
    candidate: WaitingCandidate,
    service: ApprovalService,
    *,
    policies: Policies,
    mailer: Mailer,
    objects: ObjectStore,
    notifier: Notifier,
) -> int:
    """Open a request for a waiting candidate and email each approver a personal link; return how many.

    A model that is approved automatically is announced to the subscribers of the notifications.

    Raises
    ------
    NoApproverError
        If fewer approvers are confirmed than must approve, or only the uploader.
    """
    n_emails = 0
    outcome = open_request(service, candidate, mailer.approvers(), policies=policies, objects=objects)
    if outcome.automatic is not None:
        email = compose_automatic_approval(candidate.group, candidate.version)
        notifier.send_email(*email, group=candidate.group)
        send_task_success(candidate.task_token, outcome.automatic.to_dict())
    if outcome.opened is not None:
        request, approval_id = outcome.opened.request, outcome.opened.approval_id
        n_emails = mailer.send(request, approval_id, request.approvers, compose_request, now=service.now())
    metrics = [
        Metric(APPROVALS_REQUESTED, int(outcome.opened is not None)),
        Metric(APPROVALS_AUTOMATIC, int(outcome.automatic is not None)),
    ]
    notifier.publish_metrics(metrics, group=candidate.group)
    return n_emails


def open_request(
    service: ApprovalService,
    candidate: WaitingCandidate,
    confirmed: Sequence[str],
    *,
    policies: Policies,
    objects: ObjectStore,
    make_id: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> RequestOutcome:
    """Open a request for a waiting candidate, and supersede older ones that are not decided.

    A repeated call for the same version (a retry, a redrive) puts the new task token into the same request,
    so that the links in people's mailboxes keep working. No request is opened when no decision is needed:
    approval is automatic, the request is decided already, or there is a newer candidate. The execution gets
    its answer then. Of the `confirmed` addresses those are approvers that the policy of the group names.

    Raises
    ------
    NoApproverError
        If fewer approvers are confirmed than must approve, or only the uploader.
    """
    model = service.registry.get_model(candidate.group, candidate.version)
    policy = policies.of(candidate.group, model.settings)
    champion = service.registry.champion(model.model_group)
    if may_approve_automatically(model, champion, policy):
        return RequestOutcome(automatic=_approve_automatically(service, model))
    newer = newer_candidate(service, model)
    if newer is not None or model.status is Status.SUPERSEDED:
        _supersede_itself(service, candidate, model, newer)
        return RequestOutcome()
    opened = _reopen(service, candidate, model)
    if opened is None:
        approvers = [address for address in confirmed if policy.may_approve(address)]
        _check_approvers(model, approvers, policy)
        evidence = gather(model, champion, read_details(model, objects), policy=_describe(policy))
        request = _new_request(candidate, model, approvers, evidence, policy, now=service.now())
        opened = _open(service, candidate, request, make_id())
    service.registry.request_approval(model.model_group, model.version, opened.request.id_hash)
    _supersede_older(service, model)
    if opened.request.status is RequestStatus.DECIDED:
        service.deliver(opened.request)
        return RequestOutcome()
    return RequestOutcome(opened)


def _supersede_older(service: ApprovalService, model: ModelMetadata) -> None:
    for older in service.registry.list_models(model.model_group, (Status.PENDING_APPROVAL,)):
        if older.number < model.number:
            service.supersede(older, by=model)


def _describe(policy: EffectivePolicy) -> Iterator[str]:
    yield from policy.describe()
    if policy.is_automatic:
        yield (
            "Approval would be automatic, but the model does not pass the default gate beside the model in "
            "service: people decide."
        )


def _check_approvers(model: ModelMetadata, approvers: Sequence[str], policy: EffectivePolicy) -> None:
    needed = policy.required_approvals
    if len(approvers) < needed:
        raise NoApproverError(
            f"{model.model_group} {model.version} needs {needed} approver(s), but {len(approvers)} of "
            f"{', '.join(policy.approvers) or 'no one'} have confirmed their subscription to the approval "
            "topic; let them confirm it."
        )
    if all(is_uploader(approver, model.data.uploader) for approver in approvers):
        raise NoApproverError(
            f"{model.model_group} {model.version} has no approver except {model.data.uploader}, who dropped "
            "the training file and cannot approve alone; add an approver (parameter SecondApproverEmail), "
            "and let them confirm."
        )


def _new_request(
    candidate: WaitingCandidate,
    model: ModelMetadata,
    approvers: Sequence[str],
    evidence: Evidence,
    policy: EffectivePolicy,
    *,
    now: datetime,
) -> ApprovalRequest:
    """Return the request, by the rules that apply now; a later change of the policy does not change it."""
    return ApprovalRequest(
        id_hash="",
        group=model.model_group,
        version=model.version,
        artifact=model.artifact,
        execution_arn=candidate.execution_arn,
        approvers=tuple(approvers),
        created_at=now,
        expires_at=_expiry(candidate, now),
        evidence=evidence,
        sealed="",
        required_approvals=policy.required_approvals,
        is_restricted=policy.is_restricted,
    )


def _open(
    service: ApprovalService, candidate: WaitingCandidate, request: ApprovalRequest, approval_id: str
) -> OpenedRequest:
    named = replace(request, id_hash=hash_subject(approval_id))
    sealed = replace(named, sealed=service.seal(named, _secret(candidate, approval_id)))
    service.table.put(sealed)
    return OpenedRequest(sealed, approval_id)


def _reopen(
    service: ApprovalService, candidate: WaitingCandidate, model: ModelMetadata
) -> OpenedRequest | None:
    """Put the new task token into the version's own request, if it has one that is not closed."""
    request = service.table.get(model.approval_request) if model.approval_request else None
    while request is not None and request.status in (RequestStatus.PENDING, RequestStatus.DECIDED):
        approval_id = service.unseal(request)["approval_id"]
        renewed = replace(
            request,
            sealed=service.seal(request, _secret(candidate, approval_id)),
            expires_at=_expiry(candidate, service.now()),
            asked_at=service.now(),
            reminders_sent=0,
            is_delivered=False,
            revision=request.revision + 1,
        )
        if service.table.put(renewed):
            return OpenedRequest(renewed, approval_id)
        request = service.table.get(request.id_hash)
    return None


def _expiry(candidate: WaitingCandidate, now: datetime) -> datetime:
    margin = min(_SAFETY_SECONDS, candidate.timeout_seconds // 2)
    return now + timedelta(seconds=candidate.timeout_seconds - margin)


def _secret(candidate: WaitingCandidate, approval_id: str) -> str:
    return json.dumps({"approval_id": approval_id, "task_token": candidate.task_token})


def _approve_automatically(service: ApprovalService, model: ModelMetadata) -> ApprovalDecision:
    decision = ApprovalDecision(
        decision="approved",
        decided_by="automatic approval",
        reason="The stack, the policy of the group and its settings allow automatic approval.",
        decided_at=service.now(),
        approval_id_hash="",
    )
    service.registry.approve_model(
        model.model_group, model.version, by=decision.decided_by, reason=decision.reason
    )
    return decision


def newer_candidate(service: ApprovalService, model: ModelMetadata) -> ModelMetadata | None:
    """Return the newest later version that is pending, approved or in service; None when there is none."""
    ahead = service.registry.list_models(model.model_group, _AHEAD)
    return next((other for other in reversed(ahead) if other.number > model.number), None)


def _supersede_itself(
    service: ApprovalService, candidate: WaitingCandidate, model: ModelMetadata, newer: ModelMetadata | None
) -> None:
    reason = f"{newer.version} is newer." if newer else model.status_reason or "There is a newer candidate."
    service.registry.supersede(model.model_group, model.version, by="request_approval", reason=reason)
    decision = ApprovalDecision(
        decision="superseded",
        decided_by="a newer candidate",
        reason=reason,
        decided_at=service.now(),
        approval_id_hash=model.approval_request or "",
    )
    send_task_success(candidate.task_token, decision.to_dict())
