"""The approval page: plain HTML without a script, readable on a phone and by a screen reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from mlops.approval.evidence import describe_task
from mlops.approval.style import STYLE
from mlops.models.approval import ApprovalDecision, ApprovalRequest, Evidence, RequestStatus, ScoreEvidence
from mlops.models.training import Interval

_OUTCOMES = {
    "approved": ("Approved", "good"),
    "rejected": ("Rejected", "bad"),
    "superseded": ("Superseded", "warn"),
}


def render_request(
    request: ApprovalRequest, approver: str, *, nonce: str, problem: str = "", reason: str = ""
) -> str:
    """Return the page that asks: the evidence, and a form on which nothing is selected.

    `problem` says what was wrong with the form that came in, and `reason` is kept from it.
    """
    notice = f'<section class="notice bad" role="alert"><p>{escape(problem)}</p></section>' if problem else ""
    content = (
        _header(request, "Is this model good enough to go into service?")
        + notice
        + render_evidence(request.evidence, request.version)
        + _consequences(request)
        + _form(request, approver, nonce, reason)
    )
    return _document(f"Approve {request.group} {request.version}?", content)


def render_outcome(request: ApprovalRequest, *, is_late: bool = False) -> str:
    """Return the page of a decided request; `is_late` tells a visitor that the answer did not count."""
    late = (
        '<p role="alert"><strong>Your answer did not count: this was decided before.</strong></p>'
        if is_late
        else ""
    )
    content = (
        _header(request, "") + late + _outcome(request) + render_evidence(request.evidence, request.version)
    )
    return _document(f"{request.group} {request.version}", content)


def render_message(title: str, sentences: Iterable[str]) -> str:
    """Return a page that only says something, such as why a link does not work."""
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return _document(title, f'<section class="notice"><h1>{escape(title)}</h1>{paragraphs}</section>')


def render_evidence(evidence: Evidence, version: str) -> str:
    """Return the sections with everything that speaks for or against a candidate."""
    sections = [
        _scores(evidence, version),
        _sentences("What the gate says", evidence.gate_reasons),
        _sentences("Warnings from training", evidence.warnings),
        _sentences("What validation noticed in the data", evidence.findings),
        _importances(evidence),
        _facts(evidence),
    ]
    return "".join(sections)


def _document(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex,nofollow">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{content}</main></body></html>"
    )


def _header(request: ApprovalRequest, question: str) -> str:
    lead = f'<p class="lead">{escape(question)}</p>' if question else ""
    until = (
        f"<p>Open until {_time(request.expires_at)}</p>" if request.status is RequestStatus.PENDING else ""
    )
    name = f"{escape(request.group)} {escape(request.version)}"
    return f"<header><p>Model approval</p><h1>{name}</h1>{lead}{until}</header>"


def _scores(evidence: Evidence, version: str) -> str:
    if not evidence.scores:
        return ""
    note = f'<p class="soft">{escape(evidence.comparison_note)}</p>' if evidence.comparison_note else ""
    champion = (
        f"In service: {escape(evidence.champion_version)}" if evidence.champion_version else "In service"
    )
    head = "".join(
        f'<th scope="col">{text}</th>'
        for text in ("Score", f"Candidate {escape(version)}", champion, "Difference", "No-skill model")
    )
    limit = max((_reach(score) for score in evidence.scores), default=0.0)
    rows = "".join(_score_row(score, score.name == evidence.primary, limit) for score in evidence.scores)
    return (
        f'<section><h2>Scores on held-out rows</h2>{note}<div class="scroll"><table class="scores">'
        "<caption>Greater is better. Ranges are 95 % intervals.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _score_row(score: ScoreEvidence, is_primary: bool, limit: float) -> str:  # noqa: FBT001
    primary, deciding = (' class="primary"', "<small>decides</small>") if is_primary else ("", "")
    difference = "–"
    if score.difference is not None:
        plot = _difference_plot(score.difference, score.difference_interval, limit)
        difference = f"{score.difference:+.4f}{_range(score.difference_interval, '+.4f')}{plot}"
    cells = (
        ("Candidate", f"{score.candidate:.4f}{_range(score.interval, '.4f')}"),
        ("In service", _number(score.champion)),
        ("Difference", difference),
        ("No-skill model", _number(score.dummy)),
    )
    columns = "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in cells)
    return f'<tr{primary}><th scope="row">{escape(score.name)}{deciding}</th>{columns}</tr>'


def _difference_plot(difference: float, interval: Interval | None, limit: float) -> str:
    """Draw the interval of a difference against 0; the numbers beside it say the same to a screen reader."""
    if interval is None or limit <= 0.0:
        return ""
    low, high, middle = (100 + 90 * value / limit for value in (*interval, difference))
    return (
        '<svg viewBox="0 0 200 16" aria-hidden="true"><line class="zero" x1="100" y1="0" x2="100" y2="16"/>'
        f'<line class="span" x1="{low:.1f}" y1="8" x2="{high:.1f}" y2="8"/>'
        f'<circle class="dot" cx="{middle:.1f}" cy="8" r="5"/></svg>'
    )


def _reach(score: ScoreEvidence) -> float:
    low, high = score.difference_interval or (0.0, 0.0)
    return max(abs(low), abs(high), abs(score.difference or 0.0))


def _sentences(title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<section><h2>{title}</h2><ul>{items}</ul></section>" if items else ""


def _importances(evidence: Evidence) -> str:
    largest = max(evidence.importances.values(), default=0.0)
    if largest <= 0.0:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{value:.4f}</td><td class="plot">'
        f"{_bar(max(value, 0.0) / largest)}</td></tr>"
        for name, value in evidence.importances.items()
    )
    return (
        "<section><h2>What the model looks at</h2><table>"
        "<caption>Loss of the deciding score when the column is shuffled.</caption>"
        '<thead><tr><th scope="col">Column</th><th scope="col">Importance</th>'
        f"<td></td></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _bar(share: float) -> str:
    return (
        '<svg viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="200" height="10" rx="3"/>'
        f'<rect class="bar" width="{200 * share:.1f}" height="10" rx="3"/></svg>'
    )


def _facts(evidence: Evidence) -> str:
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    hyperparameters = ", ".join(f"{name} = {value}" for name, value in evidence.hyperparameters.items())
    facts = {
        "Predicts": describe_task(evidence),
        "Algorithm": evidence.algorithm + (f": {hyperparameters}" if hyperparameters else ""),
        "Trained on": f"{rows}, {evidence.n_features} columns, data {evidence.dataset_version[:12]}",
    }
    if evidence.billable_seconds is not None:
        facts["Training time billed"] = f"{evidence.billable_seconds:,} s"
    entries = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f"<section><h2>How it was made</h2><dl>{entries}</dl></section>"


def _consequences(request: ApprovalRequest) -> str:
    version, champion = escape(request.version), request.evidence.champion_version
    replaces = f" in place of {escape(champion)}, which stays available for rollback" if champion else ""
    stays = f"{escape(champion)} stays in service" if champion else "no model is in service"
    more = request.required_approvals - sum(answer.choice == "approved" for answer in request.answers)
    quorum = f"<li>{more} approvals are still needed.</li>" if more > 1 else ""
    return (
        f"<section><h2>What happens next</h2><ul>{quorum}<li><strong>Approve:</strong> scoring files are "
        f"answered by {version}{replaces}.</li><li><strong>Reject:</strong> {stays}; {version} is closed "
        "for good.</li>"
        f"<li><strong>Nothing:</strong> the request expires at {_time(request.expires_at)}, and {stays}."
        "</li></ul></section>"
    )


def _form(request: ApprovalRequest, approver: str, nonce: str, reason: str) -> str:
    version = escape(request.version)
    return (
        '<section class="decide"><h2>Your decision</h2><form method="post" autocomplete="off">'
        f'<input type="hidden" name="nonce" value="{escape(nonce)}">'
        f'<p class="soft">Recorded as “link of {escape(approver)}”. A decision cannot be taken back here.</p>'
        "<fieldset><legend>Choose one</legend>"
        '<label class="choice"><input type="radio" name="decision" value="approved" required>'
        f"<span><strong>Approve</strong> {version}</span></label>"
        '<label class="choice"><input type="radio" name="decision" value="rejected" required>'
        f"<span><strong>Reject</strong> {version}</span></label></fieldset>"
        '<label class="field" for="reason">Reason <span class="soft">(needed to reject)</span></label>'
        f'<textarea id="reason" name="reason" maxlength="1000">{escape(reason)}</textarea>'
        f'<label class="field" for="version">Type the version, <code>{version}</code>, to confirm</label>'
        '<input type="text" id="version" name="version" required maxlength="32" '
        'autocapitalize="none" spellcheck="false">'
        '<button type="submit">Send decision</button></form></section>'
    )


def _outcome(request: ApprovalRequest) -> str:
    decision = request.decision
    if decision is None:
        given = f"{len(request.answers)} of {request.required_approvals} approvals are in."
        told = f"<h2>Not decided yet</h2><p>{given} Your answer is recorded.</p>"
        return f'<section class="notice">{told}</section>'
    return f'<section class="notice">{_decision(decision)}</section>'


def _decision(decision: ApprovalDecision) -> str:
    word, tone = _OUTCOMES[decision.decision]
    reason = f"<p>Reason: {escape(decision.reason)}</p>" if decision.reason else ""
    return (
        f'<h2><span class="tag {tone}">{word}</span></h2>'
        f"<p>By {escape(decision.decided_by)}, {_time(decision.decided_at)}.</p>{reason}"
    )


def _range(interval: Interval | None, form: str) -> str:
    return f"<small>{interval[0]:{form}} to {interval[1]:{form}}</small>" if interval else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%d %b %Y, %H:%M} UTC</time>'
