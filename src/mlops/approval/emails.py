"""Emails to approvers: plain text in short lines, with the link on a separate line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlops.approval.evidence import (
    describe_changes,
    describe_cost,
    describe_setting,
    describe_task,
    describe_uploader,
    describe_ways,
    describe_worst_slices,
    settings_title,
)
from mlops.approval.mailer import Mailer
from mlops.approval.quorum import describe_progress, is_uploader
from mlops.approval.recommendation import recommend, result_in_subject
from mlops.approval.rollbacks import RollbackService
from mlops.models.approval import ApprovalRequest, Evidence, RollbackOffer, ScoreEvidence
from mlops.models.metrics import metric_definition, metric_difference, metric_interval, metric_value
from mlops.models.record import Record

LINE_WIDTH = 72
_SCORES_SHOWN = 6
_SENTENCES_SHOWN = 6
_IMPORTANCES_SHOWN = 5


def compose_request(request: ApprovalRequest, approver: str, link: str) -> tuple[str, str]:
    """Return subject and body of the email to one approver; `link` is personal."""
    name = f"{request.group} {request.version}"
    opening = f"{name} waits for your decision."
    subject = f"Approve {name}? {result_in_subject(request.evidence)}"
    return subject, text(_body(request, approver, link, opening))


def compose_reminder(request: ApprovalRequest, approver: str, link: str) -> tuple[str, str]:
    """Return subject and body of a reminder; older links to the same request keep working."""
    name = f"{request.group} {request.version}"
    opening = f"{name} still waits for your decision. Without one it expires."
    subject = f"Reminder: approve {name}? {result_in_subject(request.evidence)}"
    return subject, text(_body(request, approver, link, opening))


def compose_automatic_approval(group: str, version: str) -> tuple[str, str]:
    """Return subject and body of the email about a version that no one was asked about."""
    lines = (
        *wrap(f"{group} {version} was approved automatically and goes into service: no one was asked."),
        "",
        *wrap(
            "The stack (AllowAutomaticApproval), the policy of the group and its model.toml allow this, and "
            "the model passed the default gate."
        ),
        "",
        *wrap(f"To be asked from now on: mlops policy set {group} --automatic off --reason TEXT"),
        *wrap(f"To go back: mlops rollback {group} --reason TEXT"),
    )
    return f"{group} {version} was approved automatically", text(lines)


@dataclass(frozen=True, slots=True)
class NewChampion(Record):
    """A version that has just been put into service; `summary` is one line about it."""

    group: str
    version: str
    decided_by: str
    summary: str = ""
    previous_champion: str | None = None


def mail_promotion(champion: NewChampion, service: RollbackService, mailer: Mailer) -> int:
    """Send the email about a new champion; return how many personal links were sent.

    When there is a version to roll back to, every confirmed approver gets an email with a link to the
    rollback page. Otherwise one email without a link goes to the subscribers of the notifications.
    """
    approvers = mailer.approvers() if champion.previous_champion else []
    if champion.previous_champion is None or not approvers:
        service.notifier.send_email(*compose_promotion(champion), group=champion.group)
        return 0
    opened = service.offer(champion.group, champion.version, champion.previous_champion, approvers)

    def compose(offer: RollbackOffer, _: str, link: str) -> tuple[str, str]:
        return compose_promotion(champion, offer, link)

    return mailer.send(opened.offer, opened.offer_id, approvers, compose, now=service.now())


def compose_promotion(
    champion: NewChampion, offer: RollbackOffer | None = None, link: str = ""
) -> tuple[str, str]:
    """Return subject and body of the email about a new champion; with `offer` it has a link to roll back."""
    subject = f"{champion.group} {champion.version} is in service"
    return subject, text((*_news(champion), *(_rollback(offer, link) if offer else ())))


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
    """Return a sentence in lines that every email client shows unchanged."""
    one_line = " ".join(sentence.split())
    return textwrap.wrap(one_line, LINE_WIDTH, initial_indent=first, subsequent_indent=rest)


def text(lines: Iterable[str]) -> str:
    """Return the body of an email."""
    return "\n".join(lines) + "\n"


def _body(request: ApprovalRequest, approver: str, link: str, opening: str) -> Iterator[str]:
    evidence = request.evidence
    yield from wrap(opening)
    yield from wrap(recommend(evidence))
    yield from part("Read this first", (concern.message for concern in evidence.concerns))
    yield from ("", "Read the evidence and decide here:")
    yield from link_lines(link, f"{request.expires_at:%d %b %Y, %H:%M}")
    yield from part("The model", _made(evidence))
    yield from part("Rules of this approval", evidence.policy)
    yield from part(settings_title(evidence), map(describe_setting, evidence.settings_changes))
    scores = map(describe_score, evidence.scores[:_SCORES_SHOWN])
    yield from part("Scores on held-out rows", scores)
    if evidence.comparison_note:
        yield from wrap(evidence.comparison_note)
    yield from part("Result of the gate", evidence.gate_reasons[:_SENTENCES_SHOWN])
    yield from part("Warnings from training", evidence.warnings[:_SENTENCES_SHOWN])
    yield from part("What validation noticed in the data", evidence.findings[:_SENTENCES_SHOWN])
    yield from part("What changed in the data", describe_changes(evidence)[:_SENTENCES_SHOWN])
    yield from part("Where the model does worst", describe_worst_slices(evidence, 1))
    importances = list(evidence.importances.items())[:_IMPORTANCES_SHOWN]
    yield from part("What the model looks at", (f"{name}: {value:.4f}" for name, value in importances))
    yield from part("What happens next", _consequences(request, approver))


def _made(evidence: Evidence) -> Iterator[str]:
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    yield f"It predicts {describe_task(evidence)}."
    yield f"{evidence.algorithm}, from {evidence.n_features} columns of {rows}."
    yield f"Who dropped the training file: {describe_uploader(evidence)}."
    cost = describe_cost(evidence)
    if cost:
        yield f"Training cost: {cost}."


def describe_score(score: ScoreEvidence) -> str:
    """Describe one score with its interval, and the difference to the model in service."""
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
        yield (
            "The metadata of the upload say that you dropped the file, so your approval counts only together "
            "with another one."
        )
    for answer, consequence in describe_ways(request.version, request.evidence.champion_version):
        yield f"{answer}: {consequence}"


def _news(champion: NewChampion) -> Iterator[str]:
    replaces = f"; it replaces {champion.previous_champion}" if champion.previous_champion else ""
    yield from wrap(f"{champion.group} {champion.version} is now the model in service{replaces}.")
    yield from wrap(champion.summary)
    yield ""
    yield from wrap(f"Approved by: {champion.decided_by}")
    yield ""
    yield from wrap(f"Drop scoring files into {champion.group}/inference/ to get predictions.")


def _rollback(offer: RollbackOffer, link: str) -> Iterator[str]:
    sentences = (
        f"{offer.previous} answers scoring files again, from the next file on.",
        f"{offer.version} is archived; its predictions stay where they are.",
    )
    yield ""
    yield from wrap(f"Is something wrong with it? Put {offer.previous} back here:")
    yield from link_lines(link, f"{offer.expires_at:%d %b %Y, %H:%M}")
    yield from part("What a rollback does", sentences)
