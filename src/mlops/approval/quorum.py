"""How answers add up: one "no" decides, as do as many "yes" as are required, not only the uploader's."""

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
    """Return the answers that said yes."""
    return tuple(answer for answer in request.answers if answer.choice == "approved")


def approvals_missing(request: ApprovalRequest) -> int:
    """Return how many more "yes" it takes; 0 = enough. The uploader's alone are never enough."""
    given = approvals_of(request)
    missing = max(request.required_approvals - len(given), 0)
    is_alone = missing == 0 and all(
        is_uploader(answer.approver, request.evidence.uploader) for answer in given
    )
    return 1 if is_alone else missing


def has_answered(request: ApprovalRequest, approver: str) -> bool:
    """Tell whether an approver's answer is in already."""
    return any(is_same_person(answer.approver, approver) for answer in request.answers)


def is_uploader(approver: str, uploader: str | None) -> bool:
    """Tell whether an approver is who dropped the training file, as far as is known."""
    return uploader is not None and is_same_person(approver, uploader)


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two addresses or AWS identities name the same person, whatever the case of the letters.

    Of an ARN or a principal id the last part counts, which for people who sign in is their address.
    """
    return _name(one) == _name(other) != ""


def recorded_by(answer: Answer) -> str:
    """Say who answered as far as it is known: a link can be forwarded, so it proves no person."""
    return f"{answer.way} of {answer.approver}"


def decided(
    request: ApprovalRequest, outcome: Outcome, decided_by: str, reason: str, at: datetime
) -> ApprovalRequest:
    """Return the request with its decision."""
    decision = ApprovalDecision(outcome, decided_by, reason, at, request.id_hash)
    return replace(request, status=RequestStatus.DECIDED, decision=decision, revision=request.revision + 1)


def _name(identity: str) -> str:
    return re.split(r"[/:]", identity.strip())[-1].casefold()
