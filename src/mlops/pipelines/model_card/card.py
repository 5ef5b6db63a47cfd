"""The model card: one version's quality, data and settings as one self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from mlops.models.evaluation import EvaluationDetails
from mlops.models.registry import ModelMetadata
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.pages.number_format import rows
from mlops.pages.page import page
from mlops.pages.report_style import REPORT_STYLE
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.model_card.figures import Chapter, Figure, figures
from mlops.pipelines.model_card.record import (
    CardRecord,
    changes_section,
    cost_section,
    cost_tile,
    facts_table,
    lineage_section,
    moment,
)
from mlops.pipelines.model_card.scores import score_name, score_text, scores_section
from mlops.pipelines.model_card.style import CARD_STYLE
from mlops.pipelines.model_card.trials import trials_section


def render_card(
    result: TrainingResult,
    details: EvaluationDetails,
    *,
    group: str | None,
    created_at: datetime,
    record: CardRecord | None = None,
) -> str:
    """Return the page.

    Parameters
    ----------
    result
        What the training produced.
    details
        Curves and slices of the held-out rows.
    group
        The model group, for the heading.
    created_at
        When it was trained.
    record
        What the registry knows, once the version is registered: number, lineage, data changes, cost.
    """
    model = record.model if record else None
    name = f"{group or result.target}{f' {model.version}' if model else ''}"
    heading = f"Model card: {name}"
    header = _header(result, heading, created_at, model)
    return page(heading, header + _sections(result, details, record), REPORT_STYLE + CARD_STYLE)


def _sections(result: TrainingResult, details: EvaluationDetails, record: CardRecord | None) -> str:
    shown, model = figures(result, details), record.model if record else None
    moved = _cards(shown, "data")
    sections = (
        _tiles(result, model),
        _notes(result),
        scores_section(result.metrics, result.comparison),
        _chapter("How it errs", shown, "errors", _legend(details.roc)),
        _chapter("What it looks at, and where it is worst", shown, "looks"),
        changes_section(model, moved) if model else _chapter("What changed in the data", shown, "data"),
        _data(result),
        _settings(result),
        trials_section(result.trials, result.metrics.primary),
        lineage_section(record) if record else "",
        cost_section(model.training_job) if model else "",
        _reading(result.metrics),
    )
    return "".join(sections)


def _header(result: TrainingResult, heading: str, created_at: datetime, model: ModelMetadata | None) -> str:
    judged = model.gate if model else None
    gate = judged or judge(result.metrics, result.comparison, result.settings.gate)
    said = "Passes its gate." if gate.passed else "Below its gate."
    facts = f"{result.algorithm}, predicts {result.target}, trained {moment(created_at)}"
    return f"""<header>
<p class="eyebrow">{escape(facts)}</p>
<h1>{escape(heading)}</h1>
<div class="verdict {"OK" if gate.passed else "ALERT"}" role="status"><strong>{said}</strong>
<span>{escape(" ".join(gate.reasons))}</span></div>
</header>"""


def _tiles(result: TrainingResult, model: ModelMetadata | None) -> str:
    metrics, tiles = result.metrics, []
    primary = metrics.primary or ""
    score = metrics.values().get(primary)
    if score is not None:
        low, high = metrics.intervals.get(primary, (score, score))
        tiles.append(
            (score_name(primary), score_text(primary, score), f"95 % interval {low:.3f} to {high:.3f}")
        )
    if primary in metrics.dummy:
        tiles.append(("A guess reaches", score_text(primary, metrics.dummy[primary]), "knowing no feature"))
    held_out = f"held out: {result.n_rows_test:,}"
    tiles.append(("Rows to train on", f"{result.n_rows_train:,}", held_out))
    took = "" if result.duration_seconds is None else f"trained in {result.duration_seconds:.1f} s"
    tiles.append(("Features", f"{len(result.features):,}", took))
    cost = cost_tile(model.training_job) if model else None
    tiles += [cost] if cost else []
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd><p>{escape(note)}</p></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _notes(result: TrainingResult) -> str:
    if not result.warnings:
        return ""
    lines = "".join(f"<li>{escape(warning)}</li>" for warning in result.warnings)
    return f'<section><h2>To know</h2><ol class="changes">{lines}</ol></section>'


def _chapter(heading: str, shown: Sequence[Figure], chapter: Chapter, before: str = "") -> str:
    cards = _cards(shown, chapter)
    return f'<section><h2>{heading}</h2>{before}<div class="plots">{cards}</div></section>' if cards else ""


def _cards(shown: Sequence[Figure], chapter: Chapter) -> str:
    return "".join(_card(figure) for figure in shown if figure.chapter == chapter)


def _card(figure: Figure) -> str:
    body = f"<h3>{escape(figure.title)}</h3><p>{escape(figure.note)}</p>{figure.svg}{figure.after}"
    return f'<article class="card{" wide" if figure.is_wide else ""}">{body}</article>'


def _legend(points: Mapping[str, object]) -> str:
    if len(points) < 2:
        return ""
    keys = "".join(
        f'<span class="entry"><span class="key swatch c{place}"></span>{escape(label)}</span>'
        for place, label in enumerate(points)
    )
    return f'<p class="legend">Curves of the most frequent classes: {keys}</p>'


def _data(result: TrainingResult) -> str:
    entries = [
        ("Dataset (SHA-256)", result.dataset_digest),
        (
            "Held out",
            f"{result.split}; {rows(result.n_rows_test)} of {result.n_rows_train + result.n_rows_test:,}",
        ),
        ("Target", f"{result.target} ({result.task})"),
        ("Features", ", ".join(result.features[:60]) + (", ..." if len(result.features) > 60 else "")),
    ]
    dropped = "".join(
        f"<li><b>{escape(name)}</b>: {escape(why)}</li>"
        for name, why in list(result.dropped_columns.items())[:100]
    )
    summary = f"<summary>Columns left out ({len(result.dropped_columns)})</summary>"
    left_out = f"<details>{summary}<ul>{dropped}</ul></details>"
    return f"<section><h2>Data</h2>{facts_table(entries)}{left_out if dropped else ''}</section>"


def _settings(result: TrainingResult) -> str:
    chosen = ", ".join(f"{name} {score:.4f}" for name, score in result.contenders.items())
    entries = [("Algorithm", result.algorithm)]
    if chosen:
        entries.append(("Chosen by", f"{result.metrics.primary} out of fold: {chosen}"))
    entries += [(name, _plain(value)) for name, value in sorted(result.hyperparameters.items())]
    entries.append(("Seed", str(result.settings.seed)))
    versions = ", ".join(f"{name} {version}" for name, version in result.library_versions.items())
    entries.append(("Made with", versions))
    return f"<section><h2>Settings</h2>{facts_table(entries)}</section>"


def _reading(metrics: EvaluationMetrics) -> str:
    intervals = (
        "Intervals are 95 % bootstrap intervals over persons, groups or rows: how far a score would move "
        "with other held-out rows of the same kind."
    )
    guess = "“A guess” is a model that knows only how the target is spread in the training rows."
    return (
        f'<section class="reading"><h2>How to read this</h2><p>{intervals} {guess}</p>'
        f"<p>All of it is measured on {rows(metrics.n_rows)} that the model has not seen; algorithm and "
        "threshold were chosen without them.</p></section>"
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
