"""The comparison of runs as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.experiment.comparison.comparison import (
    ABSENT,
    MetricRow,
    RunComparison,
    ValueRow,
    duration_text,
    short_names,
    value_text,
)
from mlops.experiment.comparison.curves import Curve, curves_of, draw
from mlops.models.experiment import MetricPoint, Run, RunStatus
from mlops.models.metrics import metric_name, metric_value
from mlops.pages.number_format import counted
from mlops.pages.rendering import render

_DIGEST_FACTS = ("dataset", "code")
_SHOWN_WITH_SCORES = ("name", "status", "failed with", "started", "duration")
_N_COLOURS = 10


def render_page(
    comparison: RunComparison, histories: Mapping[str, Sequence[MetricPoint]] | None = None
) -> str:
    """Return the page: scores first, then what differed, the learning curves, and what all runs share.

    `histories` gives the logged points by run id, for the curves.
    """
    curves = curves_of([(histories or {}).get(run.run_id, ()) for run in comparison.runs])
    values = (*comparison.params, *comparison.facts)
    return render(
        "runs",
        comparison=comparison,
        heading=f"{comparison.group}: {counted(len(comparison.runs), 'run')}",
        tiles=tuple(_tiles(comparison)),
        runs=_runs(comparison, curves),
        differences=_differences(values) if len(comparison.runs) > 1 else [],
        curves=[(metric_name(name), draw(metric_name(name), lines)) for name, lines in curves.items()],
        shared=[(row.name, _value(row.name, row.values[0])) for row in values if not row.differs],
    )


def _tiles(comparison: RunComparison) -> Iterator[tuple[str, str, str]]:
    """Yield the best run, and what ran."""
    decisive = _decisive(comparison)
    if decisive is not None:
        name, at = decisive.name, decisive.best[0]
        yield f"Best {metric_name(name)}", _score(decisive, at)[0], comparison.runs[at].name
    n_failed = sum(run.status is RunStatus.FAILED for run in comparison.runs)
    n_rejected = sum(run.tags.get("gate") == "rejected" for run in comparison.runs)
    outcome = f"{n_failed} failed, {n_rejected} rejected by the gate"
    yield "Runs", str(len(comparison.runs)), outcome
    days = sorted({f"{run.started_at:%Y-%m-%d}" for run in comparison.runs})
    seconds = sum(run.duration_seconds or 0.0 for run in comparison.runs)
    yield "Time in all", duration_text(seconds), days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _decisive(comparison: RunComparison) -> MetricRow | None:
    """Return the score that the trainings themselves call primary, else the first, where the runs differ."""
    primary = {run.tags["primary_metric"] for run in comparison.runs if "primary_metric" in run.tags}
    rows = sorted(comparison.metrics, key=lambda row: row.name not in primary)
    return next((row for row in rows if row.best), None)


def _runs(comparison: RunComparison, curves: Mapping[str, Sequence[Curve]]) -> list[dict[str, Any]]:
    """Return what the lines of the tables show; names are without what all begin with."""
    names = short_names([run.name for run in comparison.runs])[1]
    return [
        {
            "at": at,
            "run": run,
            "name": names[at],
            "colour": at % _N_COLOURS,
            "notes": tuple(_notes(run)),
            "duration": duration_text(run.duration_seconds),
            "scores": [_score(row, at) for row in comparison.metrics],
            "has_curve": any(lines[at] for lines in curves.values()),
        }
        for at, run in enumerate(comparison.runs)
    ]


def _notes(run: Run) -> Iterator[str]:
    yield f"{run.started_at:%Y-%m-%d %H:%M}"
    if "model_version" in run.tags:
        yield f"model {run.tags['model_version']}{', ' + run.tags['gate'] if 'gate' in run.tags else ''}"
    if run.failure:
        yield f"{run.failure.error_type}{': ' + run.failure.message if run.failure.message else ''}"


def _score(row: MetricRow, at: int) -> tuple[str, float | None, bool]:
    """Return a score as text, the length of its bar, and whether it is the best; no bar without a score."""
    value = row.values[at]
    if value is None:
        return ABSENT, None, False
    present = [entry for entry in row.values if entry is not None]
    low, high = min(present), max(present)
    # from a tenth to all of the width: the worst run still shows a bar
    share = 0.1 + 0.9 * (value - low) / (high - low) if high > low else 1.0
    return metric_value(row.name, value), share, at in row.best


def _differences(rows: Sequence[ValueRow]) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "is_numeric": all(type(value) in (int, float) for value in row.values if value is not None),
            "cells": [_value(row.name, value) for value in row.values],
        }
        for row in rows
        if row.differs and row.name not in _SHOWN_WITH_SCORES
    ]


def _value(name: str, value: Any) -> tuple[str, str]:
    """Return a value for a cell, and the whole of a digest of which the cell shows the first digits."""
    text = ABSENT if value is None else value_text(value)
    return (f"{text[:12]}…", text) if name in _DIGEST_FACTS and len(text) > 20 else (text, "")
