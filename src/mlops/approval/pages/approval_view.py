"""What the approval page shows: the question with its form, or how it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mlops.approval.attachments import Plot
from mlops.approval.evidence import describe_ways
from mlops.approval.pages.evidence_view import render_evidence
from mlops.approval.pages.layout import (
    document,
    form,
    header,
    problem_notice,
    reason_field,
    time_tag,
    version_field,
)
from mlops.approval.quorum import (
    approvals_missing,
    approvals_of,
    describe_progress,
    is_uploader,
    recorded_by,
)
from mlops.models.approval import ApprovalDecision, ApprovalRequest, RequestStatus

_OUTCOMES = {
    "approved": ("Approved", "good"),
    "rejected": ("Rejected", "bad"),
    "superseded": ("Superseded", "warn"),
}


def render_request(
    request: ApprovalRequest,
    approver: str,
    *,
    nonce: str,
    problem: str = "",
    reason: str = "",
    plots: Sequence[Plot] = (),
    card: str = "",
) -> str:
    """Return the page that asks: the evidence, and a form on which nothing is selected.

    `problem` says what was wrong with the form that came in, and `reason` is kept from it.
    """
    title = f"Approve {request.group} {request.version}?"
    content = (
        _header(request, "Is this model good enough to go into service?")
        + problem_notice(problem)
        + _progress(request)
        + render_evidence(request.evidence, request.version, plots, card)
        + _consequences(request, approver)
        + _form(request, approver, nonce, reason)
    )
    return document(f"Problem: {title}" if problem else title, content)


def render_outcome(
    request: ApprovalRequest, *, is_late: bool = False, plots: Sequence[Plot] = (), card: str = ""
) -> str:
    """Return the page of a request that is decided, or that this approver has answered.

    `is_late` tells a visitor that the answer did not count.
    """
    late = problem_notice("Your answer did not count: this was decided before.") if is_late else ""
    content = (
        _header(request, "")
        + late
        + (_decision(request.decision) if request.decision else _progress(request))
        + render_evidence(request.evidence, request.version, plots, card)
    )
    return document(f"{request.group} {request.version}", content)


def _header(request: ApprovalRequest, question: str) -> str:
    is_pending = request.status is RequestStatus.PENDING
    until = f"<p>Open until {time_tag(request.expires_at)}</p>" if is_pending else ""
    return header("Model approval", f"{request.group} {request.version}", question, until)


def _progress(request: ApprovalRequest) -> str:
    if not request.answers and request.required_approvals == 1:
        return ""
    given = "".join(
        f"<li>{escape(recorded_by(answer))}, {time_tag(answer.at)}"
        f"{f': {escape(answer.reason)}' if answer.reason else ''}</li>"
        for answer in approvals_of(request)
    )
    message = "<p>Not decided yet. One rejection decides.</p>"
    return (
        f'<section class="notice"><h2>{describe_progress(request)}</h2>{message}'
        f"{f'<ul>{given}</ul>' if given else ''}</section>"
    )


def _consequences(request: ApprovalRequest, approver: str) -> str:
    ways = "".join(
        f"<li><strong>{answer}:</strong> {escape(consequence)}</li>"
        for answer, consequence in describe_ways(request.version, request.evidence.champion_version)
    )
    return f"<section><h2>What happens next</h2><ul>{_conditions(request, approver)}{ways}</ul></section>"


def _conditions(request: ApprovalRequest, approver: str) -> str:
    """Say what stands between this approver's yes and the approval."""
    message = ""
    missing = approvals_missing(request)
    if missing > 1:
        message += f"<li>{missing} approvals are still needed.</li>"
    if is_uploader(approver, request.evidence.uploader):
        message += "<li>You dropped the training file, so your yes counts only together with another's.</li>"
    elif request.evidence.uploader is not None:
        message += (
            f"<li>{escape(request.evidence.uploader)}, who dropped the file, does not approve alone.</li>"
        )
    return message


def _form(request: ApprovalRequest, approver: str, nonce: str, reason: str) -> str:
    version = escape(request.version)
    content = (
        f'<p class="soft">Recorded as “link of {escape(approver)}”. A decision cannot be taken back here.</p>'
        "<fieldset><legend>Choose one</legend>"
        '<label class="choice"><input type="radio" name="decision" value="approved" required>'
        f"<span><strong>Approve</strong> {version}</span></label>"
        '<label class="choice"><input type="radio" name="decision" value="rejected" required>'
        f"<span><strong>Reject</strong> {version}</span></label></fieldset>"
        + reason_field(reason, "needed to reject")
        + version_field(request.version)
    )
    return form("Your decision", nonce, content, "Send decision")


def _decision(decision: ApprovalDecision) -> str:
    word, tone = _OUTCOMES[decision.decision]
    reason = f"<p>Reason: {escape(decision.reason)}</p>" if decision.reason else ""
    return (
        f'<section class="notice"><h2><span class="tag {tone}">{word}</span></h2>'
        f"<p>By {escape(decision.decided_by)}, {time_tag(decision.decided_at)}.</p>{reason}</section>"
    )
