"""What the rollback page shows: both versions side by side with a form, or what became of the offer."""

from __future__ import annotations

from html import escape

from mlops.approval.pages.layout import (
    document,
    facts,
    form,
    header,
    number,
    problem_notice,
    range_note,
    reason_field,
    sentences,
    time_tag,
    version_field,
)
from mlops.models.approval import RollbackOffer
from mlops.models.registry import ModelMetadata
from mlops.registry.comparison.comparison import MetricDifference, compare


def render_offer(
    offer: RollbackOffer,
    approver: str,
    *,
    champion: ModelMetadata,
    previous: ModelMetadata,
    nonce: str,
    problem: str = "",
    reason: str = "",
) -> str:
    """Return the page that asks whether the previous champion is to be put back.

    `problem` says what was wrong with the form that came in, and `reason` is kept from it.
    """
    title = f"Roll back {offer.group} to {offer.previous}?"
    until = f"<p>Open until {time_tag(offer.expires_at)}</p>"
    question = f"Put {offer.previous} back into service in place of {offer.version}?"
    ways = (
        f"{offer.previous} answers scoring files again, from the next file on; a batch that has begun is "
        f"finished with {offer.version}.",
        f"{offer.version} is archived. Predictions that it made stay where they are.",
        "The reason stands in the audit log, and everybody is told.",
        "Without your decision nothing changes.",
    )
    content = (
        header("Rollback", offer.group, question, until)
        + problem_notice(problem)
        + _versions(champion, previous)
        + _scores(champion, previous)
        + sentences("What happens next", ways)
        + _form(offer, approver, nonce, reason)
    )
    return document(f"Problem: {title}" if problem else title, content)


def render_offer_outcome(offer: RollbackOffer, *, is_late: bool = False) -> str:
    """Return the page of an offer that somebody took up; `is_late` tells that this answer did not count."""
    late = problem_notice("Your answer did not count: this was decided before.") if is_late else ""
    decision = offer.decision
    who = f"<p>By {escape(decision.decided_by)}, {time_tag(decision.decided_at)}.</p>" if decision else ""
    why = f"<p>Reason: {escape(decision.reason)}</p>" if decision else ""
    message = escape(offer.outcome or "The rollback is being carried out.")
    notice = f'<section class="notice"><h2>{message}</h2>{who}{why}</section>'
    title = f"Rollback of {offer.group}"
    return document(title, header("Rollback", f"{offer.group} {offer.version}") + late + notice)


def _versions(champion: ModelMetadata, previous: ModelMetadata) -> str:
    message = {
        f"In service: {champion.version}": _describe(champion),
        f"Before: {previous.version}": _describe(previous),
    }
    return facts("The two versions", {escape(name): value for name, value in message.items()})


def _describe(model: ModelMetadata) -> str:
    rows = f", {model.data.n_rows:,} rows" if model.data.n_rows is not None else ""
    reason = f" “{model.status_reason}”" if model.status_reason else ""
    changed = f"{model.status_changed_at:%d %b %Y, %H:%M} UTC" if model.status_changed_at else "?"
    return (
        f"{model.algorithm}, data {model.dataset_version[:12]}{rows}. {model.status.value} since {changed} "
        f"by {model.status_changed_by}.{reason}"
    )


def _scores(champion: ModelMetadata, previous: ModelMetadata) -> str:
    comparison = compare(previous, champion)
    if not comparison.metrics:
        return ""
    rows = "".join(_score_row(name, metric) for name, metric in comparison.metrics.items())
    heads = ("Score", f"In service {champion.version}", f"Before {previous.version}", "Difference")
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return (
        '<section><h2>Scores at training</h2><div class="scroll"><table class="scores">'
        "<caption>Greater is better. Differences with a range were measured on the same rows, the others "
        f"were not.</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _score_row(name: str, metric: MetricDifference) -> str:
    difference = "–" if metric.difference is None else f"{metric.difference:+.4f}"
    cells = (
        ("In service", number(metric.b) + range_note(metric.interval_b, ".4f")),
        ("Before", number(metric.a) + range_note(metric.interval_a, ".4f")),
        ("Difference", difference + range_note(metric.interval, "+.4f")),
    )
    columns = "".join(f'<td data-name="{label}">{cell}</td>' for label, cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{columns}</tr>'


def _form(offer: RollbackOffer, approver: str, nonce: str, reason: str) -> str:
    content = (
        f'<p class="soft">Recorded as “link of {escape(approver)}”.</p>'
        + reason_field(reason, "needed")
        + version_field(offer.previous)
    )
    return form("Your decision", nonce, content, f"Put {escape(offer.previous)} back into service")
