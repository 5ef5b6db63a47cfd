"""The sections of a page with everything that speaks for or against a candidate."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from mlops.approval.attachments import Plot
from mlops.approval.evidence import (
    describe_changes,
    describe_cost,
    describe_slice,
    describe_task,
)
from mlops.approval.pages.layout import facts, number, range_note, sentences
from mlops.models.approval import Evidence, ScoreEvidence
from mlops.models.training import Interval

_CAPTIONS = {
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "confusion": "Confusion matrix",
    "importance": "What the model looks at",
}


def render_evidence(evidence: Evidence, version: str, plots: Sequence[Plot] = (), card: str = "") -> str:
    """Return the evidence as HTML; `card` is the address of the model card."""
    slices = map(describe_slice, evidence.worst_slices)
    sections = [
        _scores(evidence, version),
        sentences("What the gate says", evidence.gate_reasons),
        sentences("Warnings from training", evidence.warnings),
        sentences("What validation noticed in the data", evidence.findings),
        sentences("What changed in the data", describe_changes(evidence)),
        sentences("Where the model does worst", slices, f"{evidence.primary} on a part of the held-out rows"),
        _importances(evidence),
        _plots(plots),
        _origin(evidence, card),
    ]
    return "".join(sections)


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
        difference = f"{score.difference:+.4f}{range_note(score.difference_interval, '+.4f')}{plot}"
    cells = (
        ("Candidate", f"{score.candidate:.4f}{range_note(score.interval, '.4f')}"),
        ("In service", number(score.champion)),
        ("Difference", difference),
        ("No-skill model", number(score.dummy)),
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


def _plots(plots: Sequence[Plot]) -> str:
    """Show drawings as images: what is in an image runs no script and loads nothing."""
    figures = "".join(
        f'<figure><img alt="{title}" src="data:image/svg+xml;base64,{base64.b64encode(plot.svg).decode()}">'
        f"<figcaption>{title}</figcaption></figure>"
        for plot in plots
        for title in [escape(_CAPTIONS.get(plot.name, plot.name.replace("_", " ").capitalize()))]
    )
    return f'<section><h2>Plots</h2><div class="plots">{figures}</div></section>' if figures else ""


def _origin(evidence: Evidence, card: str) -> str:
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    hyperparameters = ", ".join(f"{name} = {value}" for name, value in evidence.hyperparameters.items())
    message = {
        "Predicts": describe_task(evidence),
        "Algorithm": evidence.algorithm + (f": {hyperparameters}" if hyperparameters else ""),
        "Trained on": f"{rows}, {evidence.n_features} columns, data {evidence.dataset_version[:12]}",
        "Dropped by": evidence.uploader or "not known",
        "Training cost": describe_cost(evidence) or "not known",
    }
    link = f'<p><a href="{escape(card)}">Read the whole model card</a></p>' if card else ""
    return facts("How it was made", message, link)
