"""The mail that asks for approval: plain text in short lines, the link on a line of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime

from mlops.approval.evidence import describe_task
from mlops.approval.links import SigningKeys, make_token
from mlops.approval.requests import OpenedRequest
from mlops.infrastructure.sns import send_mail
from mlops.models.approval import ApprovalRequest, ScoreEvidence

LINE_WIDTH = 72
_SCORES_SHOWN = 6
_SENTENCES_SHOWN = 6
_IMPORTANCES_SHOWN = 5


def mail_approvers(
    opened: OpenedRequest, topic_arn: str, base_url: str, *, keys: SigningKeys, now: datetime
) -> None:
    """Send every approver a mail of their own; the attribute `approver` is what subscriptions filter on.

    `base_url` is the address of the page without the token, such as `https://.../approvals`.
    """
    for approver in opened.request.approvers:
        token = make_token(opened.request, opened.approval_id, approver, keys=keys, now=now)
        subject, body = compose_request(opened.request, f"{base_url.rstrip('/')}/{token}")
        send_mail(topic_arn, subject, body, attributes={"approver": approver})


def compose_request(request: ApprovalRequest, link: str) -> tuple[str, str]:
    """Return subject and body of the mail to one approver; `link` is theirs alone."""
    subject = f"Approve {request.group} {request.version}?"
    return subject, "\n".join(_body(request, link)) + "\n"


def _body(request: ApprovalRequest, link: str) -> Iterator[str]:
    evidence = request.evidence
    yield from _wrap(f"{request.group} {request.version} waits for your decision.")
    yield ""
    yield "Read the evidence and decide here:"
    yield ""
    yield link
    yield ""
    yield from _wrap(
        f"The link is personal and works until {request.expires_at:%d %b %Y, %H:%M} UTC. "
        "Opening it decides nothing. Please do not forward it: the decision is recorded under your address."
    )
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    made = f"{evidence.algorithm}, from {evidence.n_features} columns of {rows}"
    yield from _part("The model", (f"It predicts {describe_task(evidence)}.", f"{made}."))
    yield from _part(
        "Scores on held-out rows (greater is better)", map(_score, evidence.scores[:_SCORES_SHOWN])
    )
    if evidence.comparison_note:
        yield from _wrap(evidence.comparison_note)
    yield from _part("What the gate says", evidence.gate_reasons[:_SENTENCES_SHOWN])
    yield from _part("Warnings from training", evidence.warnings[:_SENTENCES_SHOWN])
    yield from _part("What validation noticed in the data", evidence.findings[:_SENTENCES_SHOWN])
    importances = list(evidence.importances.items())[:_IMPORTANCES_SHOWN]
    yield from _part("What the model looks at", (f"{name}: {value:.4f}" for name, value in importances))
    yield from _part("What happens next", _consequences(request))


def _score(score: ScoreEvidence) -> str:
    text = f"{score.name}: {score.candidate:.4f}"
    if score.interval:
        text += f" ({score.interval[0]:.4f} to {score.interval[1]:.4f})"
    if score.difference is not None:
        text += f", {score.difference:+.4f} against the model in service"
    if score.difference_interval:
        text += f" ({score.difference_interval[0]:+.4f} to {score.difference_interval[1]:+.4f})"
    return text


def _consequences(request: ApprovalRequest) -> Iterator[str]:
    champion = request.evidence.champion_version
    yield f"Approve: {request.version} answers scoring files" + (
        f" in place of {champion}." if champion else "."
    )
    yield f"Reject: {champion} stays in service." if champion else "Reject: no model is in service."
    yield "Nothing: the request expires, and all stays as it is."


def _part(title: str, sentences: Iterable[str]) -> Iterator[str]:
    lines = [line for sentence in sentences for line in _wrap(sentence, first="- ", rest="  ")]
    if lines:
        yield from ("", title, *lines)


def _wrap(sentence: str, first: str = "", rest: str = "") -> list[str]:
    one_line = " ".join(sentence.split())
    return textwrap.wrap(one_line, LINE_WIDTH, initial_indent=first, subsequent_indent=rest)
