"""What is done about requests without a link: listing them, answering, mailing anew, asking again."""

from __future__ import annotations

import hashlib

from mlops.approval.decisions import ApprovalService, Decided
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import is_same_person
from mlops.approval.requests import newer_candidate
from mlops.approval.watch import remind
from mlops.infrastructure.aws.stepfunctions import start_execution
from mlops.models.approval import Answer, ApprovalRequest, Choice, RequestStatus
from mlops.models.errors import ApprovalClosedError, ApprovalError
from mlops.models.registry import ModelMetadata, Status


def list_pending(service: ApprovalService, group: str | None = None) -> list[ApprovalRequest]:
    """Return the requests that wait for a decision, the oldest first."""
    pending = [request for request in service.table.open() if _waits(service, request)]
    wanted = [request for request in pending if group in (None, request.group)]
    return sorted(wanted, key=lambda request: request.created_at)


def find_pending(service: ApprovalService, group: str, version: str) -> ApprovalRequest:
    """Return the request of a version.

    Raises
    ------
    ApprovalClosedError
        If nobody waits for a decision on it.
    """
    model = service.registry.get_model(group, version)
    request = service.table.get(model.approval_request) if model.approval_request else None
    if request is None or not _waits(service, request):
        advice = "; `mlops reopen` asks again" if model.status is Status.EXPIRED else ""
        raise ApprovalClosedError(
            f"{group} {version} waits for no decision, it is {model.status.value}{advice}."
        )
    return request


def answer_by_command(
    service: ApprovalService, group: str, version: str, choice: Choice, *, actor: str, reason: str
) -> Decided:
    """Let an answer count that came by the command line, by the rules of the page.

    Parameters
    ----------
    actor
        The AWS identity that answers. When it names one of the approvers (a session named after their
        address), it is their answer. Any other identity is trusted by its permissions: its no always counts,
        its yes only where one yes is enough, because it could be anybody's second one.

    Raises
    ------
    ApprovalError
        If the reason is missing, the identity has answered before, or its yes would not count.
    """
    request = find_pending(service, group, version)
    if not reason.strip():
        raise ApprovalError("A decision by command needs a reason.")
    approver = next((entry for entry in request.approvers if is_same_person(entry, actor)), None)
    needs_others = request.required_approvals > 1 or request.evidence.uploader is not None
    if choice == "approved" and approver is None and needs_others:
        raise ApprovalError(
            f"{group} {version} is approved by the people who were asked ({', '.join(request.approvers)}): "
            "answer through the link in the mail, or under a session that is named after the address."
        )
    answer = Answer(approver or actor, choice, reason.strip(), service.now(), way="command line")
    decided = service.answer(request.id_hash, answer)
    if not decided.is_new:
        raise ApprovalError(f"The answer did not count: {group} {version} has one from here already.")
    return decided


def resend_email(service: ApprovalService, mailer: Mailer, group: str, version: str) -> int:
    """Mail those who have not answered yet a new link, and return how many; older links go on working."""
    return remind(service, mailer, find_pending(service, group, version))


def reopen(
    service: ApprovalService, state_machine_arn: str, group: str, version: str, *, actor: str, reason: str
) -> str:
    """Ask again about a version that has expired, by an execution that trains nothing.

    Repeating it starts no second execution. Returns the execution's ARN.

    Raises
    ------
    ApprovalError
        If the version has not expired, or a newer one is ahead.
    """
    model = service.registry.get_model(group, version)
    is_halfway = model.status is Status.REGISTERED and model.approval_request is not None
    if model.status is not Status.EXPIRED and not is_halfway:
        raise ApprovalError(
            f"{group} {version} is {model.status.value}; only what has expired is asked about again."
        )
    newer = newer_candidate(service, model)
    if newer is not None:
        raise ApprovalError(f"{newer.version} is newer and {newer.status.value}; decide about that.")
    reopened = service.registry.reopen(group, version, by=actor, reason=reason)
    document = {"group": group, "version": version, "summary": f"{group} {version}, asked about again."}
    return start_execution(state_machine_arn, _execution_name(reopened), document)


def _waits(service: ApprovalService, request: ApprovalRequest) -> bool:
    return request.status is RequestStatus.PENDING and service.now() < request.expires_at


def _execution_name(reopened: ModelMetadata) -> str:
    """Return a name that is the same for the same reopening, so that a retry meets the first."""
    text = f"{reopened.model_group}\n{reopened.version}\n{reopened.status_changed_at}"
    return f"again-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
