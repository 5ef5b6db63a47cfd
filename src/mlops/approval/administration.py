"""Operations on requests by command: list them, answer, promote, remind the approvers, reopen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from mlops.approval.completion import Completion
from mlops.approval.decisions import AnswerResult, ApprovalService
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import is_same_person
from mlops.approval.requests import newer_candidate
from mlops.approval.watch_approvals import remind
from mlops.infrastructure.aws.stepfunctions import execution_status, has_ended, start_execution
from mlops.models.approval import Answer, ApprovalRequest, Choice, RequestStatus
from mlops.models.errors import ApprovalClosedError, ApprovalError
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.tags import find_reason_problem

# What leads on from each status: one answer for all commands, so that none contradicts another.
_NEXT: Mapping[Status, str] = {
    Status.REGISTERED: "its execution requests approval; if that has ended, `mlops reopen {name}` does",
    Status.PENDING_APPROVAL: "its approvers decide, by link or with `mlops approve` or `mlops reject`",
    Status.APPROVED: "`mlops promote {name}` puts it into service",
    Status.CHAMPION: "it is in service; `mlops rollback {group}` puts the version before back",
    Status.ARCHIVED: "`mlops rollback {group} --to {version}` puts it back into service",
    Status.EXPIRED: "`mlops reopen {name}` requests approval again",
    Status.REJECTED: "the rejection is final; train again",
    Status.REJECTED_BY_GATE: "its gate has refused it; train again with better data, or change [gate]",
    Status.SUPERSEDED: "a newer version has replaced it; decide about that one",
}
_UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.EXPIRED)
_APPROVED = "it is approved, and its execution promotes it; if that has ended, `mlops promote {name}` does"
_LATE = "the time to decide is over; once it has expired, `mlops reopen {name}` requests approval again"
_REJECTED = "it is rejected, which its execution or the next check of the approvals carries out"


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
    request = request_of(service, model)
    if request is None or not _is_pending(service, request):
        step = next_step(model, request, service.now())
        raise ApprovalClosedError(f"{group} {version} does not wait for a decision, {step}.")
    return request


def request_of(service: ApprovalService, model: ModelMetadata) -> ApprovalRequest | None:
    """Return the request for approval of a version; None when there is none."""
    return service.table.get(model.approval_request) if model.approval_request else None


def promote_by_command(
    completion: Completion, group: str, version: str, *, actor: str, reason: str
) -> ModelMetadata:
    """Put an approved version into service whose execution has ended before it did so.

    A version that is in service stays so. `actor` and `reason` are recorded for a version without a request;
    for others the approvers and their reasons are.

    Raises
    ------
    ApprovalError
        If the version is not approved, its execution still runs, or its approval has no effect any more.
    """
    service = completion.service
    model = service.registry.get_model(group, version)
    request = request_of(service, model)
    decision = request.decision if request is not None else None
    if model.status is Status.CHAMPION:
        return model
    if request is not None and decision is not None and decision.decision == "approved":
        execution = execution_status(request.execution_arn)
        if not has_ended(execution):
            raise ApprovalError(f"The execution of {group} {version} runs, and puts it into service.")
        completion.carry_out(request, decision, execution=execution)
    elif model.status is Status.APPROVED:
        completion.promote(model, by=actor, reason=reason)
    model = service.registry.get_model(group, version)
    if model.status is not Status.CHAMPION:
        step = next_step(model, request, service.now())
        raise ApprovalError(f"{group} {version} cannot be put into service, {step}.")
    return model


def next_step(model: ModelMetadata, request: ApprovalRequest | None, now: datetime) -> str:
    """Return the status of a version and what leads on from there, as the end of a sentence."""
    sentence = _NEXT[model.status]
    if request is not None and model.status in _UNDECIDED:
        if request.status is RequestStatus.PENDING and now >= request.expires_at:
            sentence = _LATE
        elif request.status is RequestStatus.DECIDED and request.decision is not None:
            sentence = _APPROVED if request.decision.decision == "approved" else _REJECTED
    name = f"{model.model_group} {model.version}"
    advice = sentence.format(name=name, group=model.model_group, version=model.version)
    return f"it is {model.status.value}: {advice}"


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
        raise ApprovalError(_describe_needed_identity(request, actor))
    answer = Answer(approver or actor, choice, reason.strip(), service.now(), way="command line")
    result = service.answer(request.id_hash, answer)
    if not result.is_new:
        raise ApprovalError(
            f"The answer did not count: {group} {version} has one from this identity already."
        )
    return result


def _describe_needed_identity(request: ApprovalRequest, actor: str) -> str:
    """Say who must answer instead of `actor`, and with which commands they sign in to do it."""
    address = request.approvers[0] if len(request.approvers) == 1 else "YOUR_ADDRESS"
    profile = {"role_arn": "ROLE_ARN", "role_session_name": address, "source_profile": "default"}
    commands = [f"aws configure set profile.approver.{name} {value}" for name, value in profile.items()]
    commands += [f"AWS_PROFILE=approver mlops approve {request.group} {request.version} --reason '...'"]
    return (
        f"{request.group} {request.version} needs the answer of its approvers "
        f"({', '.join(request.approvers)}), and this is {actor}: answer through the link in the email, "
        "or under a session of a role that is named after the address of the approver, with "
        f"`{'; '.join(commands)}`."
    )


def resend_email(service: ApprovalService, mailer: Mailer, group: str, version: str) -> int:
    """Email the approvers who have not answered a new link; return how many. Older links keep working."""
    return remind(service, mailer, find_pending(service, group, version))


def reopen(
    service: ApprovalService,
    state_machine_arn: str,
    group: str,
    version: str,
    *,
    actor: str,
    reason: str,
    is_in_training: Callable[[ModelMetadata], bool] = lambda _: False,
) -> str:
    """Request approval again for a version that no execution works on, in an execution without a training.

    That is a version that has expired, or whose execution has ended without requesting or awaiting approval.
    A repeated call does not start a second execution. Returns the execution's ARN.

    Parameters
    ----------
    is_in_training
        Whether the execution that trained a version still runs, and will request its approval.

    Raises
    ------
    ApprovalError
        If the version is in another status, its execution runs, or there is a newer candidate.
    """
    model = _expire_abandoned(service, service.registry.get_model(group, version))
    is_registered = model.status is Status.REGISTERED and not is_in_training(model)
    if model.status is not Status.EXPIRED and not is_registered:
        step = next_step(model, request_of(service, model), service.now())
        raise ApprovalError(f"Approval of {group} {version} cannot be requested again, {step}.")
    newer = newer_candidate(service, model)
    if newer is not None:
        raise ApprovalError(f"{newer.version} is newer and {newer.status.value}; decide about that version.")
    if model.status is Status.EXPIRED:
        model = service.registry.reopen(group, version, by=actor, reason=reason)
    document = {
        "group": group,
        "version": version,
        "summary": f"{group} {version}, approval requested again.",
    }
    return start_execution(state_machine_arn, _execution_name(model), document)


def _expire_abandoned(service: ApprovalService, model: ModelMetadata) -> ModelMetadata:
    """Expire a version now that the next check would expire: its execution has ended without a decision."""
    request = request_of(service, model)
    if model.status is not Status.PENDING_APPROVAL or request is None or request.decision is not None:
        return model
    if not has_ended(execution_status(request.execution_arn)):
        return model
    expired = service.expire_version(request)
    service.close(request)
    return expired


def _is_pending(service: ApprovalService, request: ApprovalRequest) -> bool:
    return request.status is RequestStatus.PENDING and service.now() < request.expires_at


def _execution_name(reopened: ModelMetadata) -> str:
    """Return a name that is the same for a retry of the same reopening."""
    text = f"{reopened.model_group}\n{reopened.version}\n{reopened.status_changed_at}"
    return f"again-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
