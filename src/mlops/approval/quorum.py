"""How answers are counted: one rejection decides, or the required approvals, not all by the uploader."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from mlops.models.approval import Answer, ApprovalDecision, ApprovalRequest, Outcome, RequestStatus


def count_answer(request: ApprovalRequest, answer: Answer) -> ApprovalRequest:
    """Return the request with one more answer, and with the decision when this answer decides."""
    answered = replace(request, answers=(*request.answers, answer))
    if answer.choice == "rejected":
        return decided(answered, "rejected", recorded_by(answer), answer.reason, answer.at)
    if approvals_missing(answered) > 0:
        return replace(answered, revision=request.revision + 1)
    approvals = approvals_of(answered)
    who = ", ".join(recorded_by(entry) for entry in approvals)
    reasons = "; ".join(entry.reason for entry in approvals if entry.reason)
    return decided(answered, "approved", who, reasons, answer.at)


def approvals_of(request: ApprovalRequest) -> tuple[Answer, ...]:
    """Return the answers that approve."""
    return tuple(answer for answer in request.answers if answer.choice == "approved")


def approvals_missing(request: ApprovalRequest) -> int:
    """Return how many more approvals are needed; 0 = enough. The uploader's alone are never enough."""
    approvals = approvals_of(request)
    missing = max(request.required_approvals - len(approvals), 0)
    is_alone = missing == 0 and all(
        is_uploader(answer.approver, request.evidence.uploader) for answer in approvals
    )
    return 1 if is_alone else missing


def describe_progress(request: ApprovalRequest) -> str:
    """Say how many approvals there are and how many are needed: `1 of 2 approvals are in`."""
    n_approvals = len(approvals_of(request))
    n_needed = n_approvals + approvals_missing(request)
    return f"{n_approvals} of {n_needed} {'approval is' if n_needed == 1 else 'approvals are'} in"


def has_answered(request: ApprovalRequest, approver: str) -> bool:
    """Return whether an approver has answered already."""
    return any(is_same_person(answer.approver, approver) for answer in request.answers)


def is_uploader(approver: str, uploader: str | None) -> bool:
    """Return whether an approver dropped the training file, as far as the uploader is known."""
    return uploader is not None and is_same_person(approver, uploader)


def is_same_person(one: str, other: str) -> bool:
    """Return whether two addresses or AWS identities name the same person; letter case is ignored.

    Of an ARN or a principal id the last part is compared: for people who sign in it is their address.
    """
    return _name(one) == _name(other) != ""


def recorded_by(answer: Answer) -> str:
    """Return how the audit log names who answered: a link can be forwarded, so it does not prove a person."""
    return f"{answer.way} of {answer.approver}"


def decided(
    request: ApprovalRequest, outcome: Outcome, decided_by: str, reason: str, at: datetime
) -> ApprovalRequest:
    """Return the request with its decision."""
    decision = ApprovalDecision(outcome, decided_by, reason, at, request.id_hash)
    return replace(request, status=RequestStatus.DECIDED, decision=decision, revision=request.revision + 1)


def _name(identity: str) -> str:
    return re.split(r"[/:]", identity.strip())[-1].casefold()
