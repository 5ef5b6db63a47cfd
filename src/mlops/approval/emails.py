"""Mails to approvers: plain text in short lines, the link on a line of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from mlops.approval.evidence import (
    describe_changes,
    describe_cost,
    describe_slice,
    describe_task,
    describe_ways,
)
from mlops.approval.pages.approval_view import describe_progress
from mlops.approval.quorum import is_uploader
from mlops.models.approval import ApprovalRequest, Evidence, ScoreEvidence
from mlops.models.metrics import metric_definition, metric_difference, metric_interval, metric_value

LINE_WIDTH = 72
_SCORES_SHOWN = 6
_SENTENCES_SHOWN = 6
_IMPORTANCES_SHOWN = 5


def compose_request(request: ApprovalRequest, approver: str, link: str) -> tuple[str, str]:
    """Return subject and body of the mail to one approver; `link` is theirs alone."""
    name = f"{request.group} {request.version}"
    opening = f"{name} waits for your decision."
    return f"Approve {name}?", text(_body(request, approver, link, opening))


def compose_reminder(request: ApprovalRequest, approver: str, link: str) -> tuple[str, str]:
    """Return subject and body of a reminder; older links to the same request go on working."""
    name = f"{request.group} {request.version}"
    opening = f"{name} still waits for your decision. Without one it expires."
    return f"Reminder: approve {name}?", text(_body(request, approver, link, opening))


def link_lines(link: str, until: str) -> Iterator[str]:
    """Yield the lines around a personal link."""
    yield from ("", link, "")
    yield from wrap(
        f"The link is personal and works until {until} UTC. Opening it decides nothing. Please do not "
        "forward it: the decision is recorded under your address."
    )


def part(title: str, sentences: Iterable[str]) -> Iterator[str]:
    """Yield a titled list; nothing when the list is empty."""
    lines = [line for sentence in sentences for line in wrap(sentence, first="- ", rest="  ")]
    if lines:
        yield from ("", title, *lines)


def wrap(sentence: str, first: str = "", rest: str = "") -> list[str]:
    """Return a sentence in lines that every mail client shows as they are."""
    one_line = " ".join(sentence.split())
    return textwrap.wrap(one_line, LINE_WIDTH, initial_indent=first, subsequent_indent=rest)


def text(lines: Iterable[str]) -> str:
    """Return the body of a mail."""
    return "\n".join(lines) + "\n"


def _body(request: ApprovalRequest, approver: str, link: str, opening: str) -> Iterator[str]:
    evidence = request.evidence
    yield from wrap(opening)
    yield from ("", "Read the evidence and decide here:")
    yield from link_lines(link, f"{request.expires_at:%d %b %Y, %H:%M}")
    yield from part("The model", _made(evidence))
    scores = map(describe_score, evidence.scores[:_SCORES_SHOWN])
    yield from part("Scores on held-out rows", scores)
    if evidence.comparison_note:
        yield from wrap(evidence.comparison_note)
    yield from part("What the gate says", evidence.gate_reasons[:_SENTENCES_SHOWN])
    yield from part("Warnings from training", evidence.warnings[:_SENTENCES_SHOWN])
    yield from part("What validation noticed in the data", evidence.findings[:_SENTENCES_SHOWN])
    yield from part("What changed in the data", list(describe_changes(evidence))[:_SENTENCES_SHOWN])
    worst = (describe_slice(entry, evidence.primary) for entry in evidence.worst_slices[:1])
    yield from part("Where the model does worst", worst)
    importances = list(evidence.importances.items())[:_IMPORTANCES_SHOWN]
    yield from part("What the model looks at", (f"{name}: {value:.4f}" for name, value in importances))
    yield from part("What happens next", _consequences(request, approver))


def _made(evidence: Evidence) -> Iterator[str]:
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    yield f"It predicts {describe_task(evidence)}."
    yield f"{evidence.algorithm}, from {evidence.n_features} columns of {rows}."
    if evidence.uploader is not None:
        yield f"The training file was dropped by {evidence.uploader}."
    cost = describe_cost(evidence)
    if cost:
        yield f"Training cost: {cost}."


def describe_score(score: ScoreEvidence) -> str:
    """Say one score with its interval, and against the model in service."""
    name = score.name
    message = f"{metric_definition(name).label}: {metric_value(name, score.candidate)}"
    if score.interval:
        message += f" ({metric_interval(name, score.interval)})"
    if score.difference is not None:
        message += f", {metric_difference(name, score.difference)} against the model in service"
    if score.difference_interval:
        message += f" ({metric_interval(name, score.difference_interval, is_difference=True)})"
    return message


def _consequences(request: ApprovalRequest, approver: str) -> Iterator[str]:
    if request.answers or request.required_approvals > 1:
        yield f"{describe_progress(request)}; one rejection decides."
    if is_uploader(approver, request.evidence.uploader):
        yield "You dropped the training file, so your yes counts only together with another's."
    for answer, consequence in describe_ways(request.version, request.evidence.champion_version):
        yield f"{answer}: {consequence}"
