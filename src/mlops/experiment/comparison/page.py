"""The comparison of runs as one self-contained HTML page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from mlops.experiment.comparison.comparison import (
    ABSENT,
    MetricRow,
    RunComparison,
    ValueRow,
    duration_text,
    short_names,
    text_of,
    value_text,
)
from mlops.experiment.comparison.curves import curves_of, draw
from mlops.experiment.comparison.page_style import N_COLOURS, STYLE
from mlops.models.experiment import MetricPoint, Run, RunStatus
from mlops.pages.page import page

_DIGEST_FACTS = ("dataset", "code")


def render_page(
    comparison: RunComparison, histories: Mapping[str, Sequence[MetricPoint]] | None = None
) -> str:
    """Return the page: scores first, then what differed, the learning curves, and what all runs share.

    `histories` gives the logged points by run id, for the curves.
    """
    known = histories or {}
    sections = (
        _tiles(comparison),
        _scores(comparison),
        _differences(comparison),
        _curves(comparison, [known.get(run.run_id, ()) for run in comparison.runs]),
        _shared(comparison),
    )
    heading = f"{comparison.group}: {_count(len(comparison.runs), 'run')}"
    body = "\n".join(section for section in sections if section)
    content = f"""<p class="eyebrow">Experiments</p>
<h1>{escape(heading)}</h1>
{body}"""
    return page(heading, content, STYLE)


def _tiles(comparison: RunComparison) -> str:
    """Show the best run, and what ran."""
    tiles = []
    decisive = _decisive(comparison)
    if decisive is not None:
        best = comparison.runs[decisive.best[0]]
        value = text_of(decisive.values[decisive.best[0]])
        tiles.append((f"Best {decisive.name}", value, best.name))
    n_failed = sum(run.status is RunStatus.FAILED for run in comparison.runs)
    n_rejected = sum(run.tags.get("gate") == "rejected" for run in comparison.runs)
    outcome = f"{n_failed} failed, {n_rejected} rejected by the gate"
    tiles.append(("Runs", str(len(comparison.runs)), outcome))
    seconds = sum(run.duration_seconds or 0.0 for run in comparison.runs)
    tiles.append(("Time in all", duration_text(seconds), _period(comparison.runs)))
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd><p>{escape(note)}</p></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _decisive(comparison: RunComparison) -> MetricRow | None:
    """Return the score that the trainings themselves call primary, else the first, where the runs differ."""
    primary = {run.tags["primary_metric"] for run in comparison.runs if "primary_metric" in run.tags}
    rows = sorted(comparison.metrics, key=lambda row: row.name not in primary)
    return next((row for row in rows if row.best), None)


def _period(runs: Sequence[Run]) -> str:
    days = sorted({f"{run.started_at:%Y-%m-%d}" for run in runs})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _scores(comparison: RunComparison) -> str:
    """Draw the leaderboard: a run per line, in each cell a bar that ends where the best run's does."""
    if not comparison.metrics:
        return ""
    header = "".join(f'<th class="num" scope="col">{escape(row.name)}</th>' for row in comparison.metrics)
    names = _names(comparison)
    lines = "".join(
        f"<tr>{_run_cell(run, at, names[at], _notes(run))}"
        f'<td class="num">{duration_text(run.duration_seconds)}</td>'
        f"{''.join(_score_cell(row, at) for row in comparison.metrics)}</tr>"
        for at, run in enumerate(comparison.runs)
    )
    return _section("Scores", _table(f'<th class="num" scope="col">duration</th>{header}', lines))


def _score_cell(row: MetricRow, at: int) -> str:
    value = row.values[at]
    if value is None:
        return f'<td class="num none">{ABSENT}</td>'
    known = [value for value in row.values if value is not None]
    low, high = min(known), max(known)
    # from a tenth to all of the width: the worst run still shows a bar
    share = 0.1 + 0.9 * (value - low) / (high - low) if high > low else 1.0
    bar = f'<span class="bar"><i style="width:{share:.0%}"></i></span>'
    if at in row.best:
        return f'<td class="num score best"><b>{text_of(value)}</b>{bar}</td>'
    return f'<td class="num score">{text_of(value)}{bar}</td>'


def _differences(comparison: RunComparison) -> str:
    shown_above = ("name", "status", "failed with", "started", "duration")
    facts = [row for row in comparison.facts if row.name not in shown_above and row.differs]
    rows = [row for row in comparison.params if row.differs] + facts
    if not rows or len(comparison.runs) < 2:
        return ""
    header = "".join(
        f'<th class="{"num" if _is_numeric(row) else "text"}" scope="col">{escape(row.name)}</th>'
        for row in rows
    )
    names = _names(comparison)
    lines = "".join(
        f"<tr>{_run_cell(run, at, names[at])}{''.join(_value_cell(row, at) for row in rows)}</tr>"
        for at, run in enumerate(comparison.runs)
    )
    return _section("What differed", _table(header, lines))


def _curves(comparison: RunComparison, histories: Sequence[Sequence[MetricPoint]]) -> str:
    curves = curves_of(histories)
    if not curves:
        return ""
    classes = {at: _colour(at) for at in range(len(comparison.runs))}
    cards = "".join(
        f'<article class="card"><h3>{escape(metric)}</h3>{draw(metric, lines, classes)}</article>'
        for metric, lines in curves.items()
    )
    legend = "".join(
        f'<span class="{_colour(at)}"><i class="swatch"></i>{escape(name)}</span>'
        for at, name in enumerate(_names(comparison))
        if any(lines[at] for lines in curves.values())
    )
    return _section("Over the steps", f'<p class="legend">{legend}</p><div class="cards">{cards}</div>')


def _shared(comparison: RunComparison) -> str:
    rows = [row for row in (*comparison.params, *comparison.facts) if not row.differs]
    if not rows:
        return ""
    entries = "".join(
        f"<div><dt>{escape(row.name)}</dt><dd>{_short(row.name, row.values[0])}</dd></div>" for row in rows
    )
    title = "The same in all runs" if len(comparison.runs) > 1 else "Params and origin"
    return _section(title, f'<div class="card"><dl class="same">{entries}</dl></div>')


def _run_cell(run: Run, at: int, name: str, notes: Iterable[str] = ()) -> str:
    lines = "".join(f"<small>{escape(note)}</small>" for note in notes)
    badge = f'<span class="badge {run.status}">{run.status}</span>'
    return (
        f'<th scope="row" class="{_colour(at)}" title="{escape(run.name, quote=True)}">'
        f'<i class="swatch"></i>{escape(name)} '
        f"{badge if run.status is not RunStatus.FINISHED else ''}{lines}</th>"
    )


def _notes(run: Run) -> Iterator[str]:
    yield f"{run.started_at:%Y-%m-%d %H:%M}"
    if "model_version" in run.tags:
        yield f"model {run.tags['model_version']}{', ' + run.tags['gate'] if 'gate' in run.tags else ''}"
    if run.failure:
        yield f"{run.failure.error_type}{': ' + run.failure.message if run.failure.message else ''}"


def _names(comparison: RunComparison) -> list[str]:
    """Return the runs' names without what all begin with; the whole name shows on hovering."""
    return short_names([run.name for run in comparison.runs])[1]


def _value_cell(row: ValueRow, at: int) -> str:
    css_class = "num" if _is_numeric(row) else "text"
    value = row.values[at]
    if value is None:
        return f'<td class="{css_class} none">{ABSENT}</td>'
    return f'<td class="{css_class}">{_short(row.name, value)}</td>'


def _is_numeric(row: ValueRow) -> bool:
    known = [value for value in row.values if value is not None]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)


def _short(name: str, value: Any) -> str:
    """Return the value for a cell; of a digest the first digits, the rest on hovering."""
    text = value_text(value)
    if name in _DIGEST_FACTS and len(text) > 20:
        return f'<span title="{escape(text, quote=True)}">{escape(text[:12])}…</span>'
    return escape(text)


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(header: str, lines: str) -> str:
    return (
        '<div class="scroll runs"><table><thead><tr><th scope="col">run</th>'
        f"{header}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _colour(at: int) -> str:
    return f"run{at % N_COLOURS}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
