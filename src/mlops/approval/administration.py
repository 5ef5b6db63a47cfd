"""Operations on requests by command: list them, answer, remind the approvers, reopen."""

from __future__ import annotations

import hashlib

from mlops.approval.decisions import AnswerResult, ApprovalService
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import is_same_person
from mlops.approval.requests import newer_candidate
from mlops.approval.watch_approvals import remind
from mlops.infrastructure.aws.stepfunctions import start_execution
from mlops.models.approval import Answer, ApprovalRequest, Choice, RequestStatus
from mlops.models.errors import ApprovalClosedError, ApprovalError
from mlops.models.registry import ModelMetadata, Status
from mlops.models.tags import find_reason_problem


def list_pending(service: ApprovalService, group: str | None = None) -> list[ApprovalRequest]:
    """Return the requests that wait for a decision, oldest first."""
    pending = (request for request in service.table.open() if _is_pending(service, request))
    selected = (request for request in pending if group in (None, request.group))
    return sorted(selected, key=lambda request: request.created_at)


def find_pending(service: ApprovalService, group: str, version: str) -> ApprovalRequest:
    """Return the request of a version.

    Raises
    ------
    ApprovalClosedError
        If it does not wait for a decision.
    """
    model = service.registry.get_model(group, version)
    request = service.table.get(model.approval_request) if model.approval_request else None
    if request is None or not _is_pending(service, request):
        advice = "; `mlops reopen` opens a new request" if model.status is Status.EXPIRED else ""
        raise ApprovalClosedError(
            f"{group} {version} does not wait for a decision, it is {model.status.value}{advice}."
        )
    return request


def answer_by_command(
    service: ApprovalService, group: str, version: str, choice: Choice, *, actor: str, reason: str
) -> AnswerResult:
    """Count an answer that is given on the command line, by the rules of the page.

    Parameters
    ----------
    actor
        The AWS identity that answers. When it names one of the approvers (a session named after their
        address), it is their answer. Any other identity is trusted by its permissions: its rejection always
        counts, its approval only where one is enough, because it could be the second one of the same person.

    Raises
    ------
    ApprovalError
        If the reason is missing, the identity has answered before, or its approval would not count.
    """
    request = find_pending(service, group, version)
    if problem := find_reason_problem(reason, is_required=True):
        raise ApprovalError(f"Nothing was decided: {problem}.")
    approver = next((entry for entry in request.approvers if is_same_person(entry, actor)), None)
    needs_others = (
        request.required_approvals > 1 or request.is_restricted or request.evidence.uploader is not None
    )
    if choice == "approved" and approver is None and needs_others:
        raise ApprovalError(
            f"{group} {version} needs the answer of its approvers ({', '.join(request.approvers)}): "
            "answer through the link in the email, or under a session that is named after the address."
        )
    answer = Answer(approver or actor, choice, reason.strip(), service.now(), way="command line")
    result = service.answer(request.id_hash, answer)
    if not result.is_new:
        raise ApprovalError(
            f"The answer did not count: {group} {version} has one from this identity already."
        )
    return result


def resend_email(service: ApprovalService, mailer: Mailer, group: str, version: str) -> int:
    """Email the approvers who have not answered a new link; return how many. Older links keep working."""
    return remind(service, mailer, find_pending(service, group, version))


def reopen(
    service: ApprovalService, state_machine_arn: str, group: str, version: str, *, actor: str, reason: str
) -> str:
    """Request approval again for a version that has expired, in an execution without a training.

    A repeated call does not start a second execution. Returns the execution's ARN.

    Raises
    ------
    ApprovalError
        If the version has not expired, or there is a newer candidate.
    """
    model = service.registry.get_model(group, version)
    is_halfway = model.status is Status.REGISTERED and model.approval_request is not None
    if model.status is not Status.EXPIRED and not is_halfway:
        raise ApprovalError(
            f"{group} {version} is {model.status.value}; only a version that has expired can be reopened."
        )
    newer = newer_candidate(service, model)
    if newer is not None:
        raise ApprovalError(f"{newer.version} is newer and {newer.status.value}; decide about that version.")
    reopened = service.registry.reopen(group, version, by=actor, reason=reason)
    document = {
        "group": group,
        "version": version,
        "summary": f"{group} {version}, approval requested again.",
    }
    return start_execution(state_machine_arn, _execution_name(reopened), document)


def _is_pending(service: ApprovalService, request: ApprovalRequest) -> bool:
    return request.status is RequestStatus.PENDING and service.now() < request.expires_at


def _execution_name(reopened: ModelMetadata) -> str:
    """Return a name that is the same for a retry of the same reopening."""
    text = f"{reopened.model_group}\n{reopened.version}\n{reopened.status_changed_at}"
    return f"again-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
