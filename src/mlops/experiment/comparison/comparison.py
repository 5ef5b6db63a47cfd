"""Runs side by side: their scores, and what was different about them."""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from mlops.models.errors import ExperimentError
from mlops.models.experiment import Run
from mlops.models.metrics import metric_definition, metric_value
from mlops.models.record import Record
from mlops.models.training import SCORE_NAMES
from mlops.pages.number_format import duration
from mlops.pages.text_table import text_table

ABSENT = "-"


@dataclass(frozen=True, slots=True)
class MetricRow(Record):
    """One metric of every compared run; None = the run does not have it.

    `best` are the positions of the runs with the greatest value. It is empty where that says nothing: when
    all are equal, or the metric is not one of our scores: of others the direction is not known.
    """

    name: str
    values: tuple[float | None, ...]
    best: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueRow(Record):
    """One param or fact of every compared run; None = the run does not have it."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether two of the runs disagree."""
        return len({json.dumps(value, sort_keys=True) for value in self.values}) > 1


@dataclass(frozen=True, slots=True)
class RunComparison(Record):
    """Runs of one group, in order, and rows over them: `facts` are status, data, code and time."""

    group: str
    runs: tuple[Run, ...]
    metrics: tuple[MetricRow, ...]
    params: tuple[ValueRow, ...]
    facts: tuple[ValueRow, ...]

    def render(self) -> str:
        """Return the comparison as text: first what differs, then what all runs share."""
        return "\n".join(_render(self)) + "\n"


def compare(runs: Sequence[Run]) -> RunComparison:
    """Set runs of one group side by side, in their order.

    Raises
    ------
    ExperimentError
        If `runs` is empty, has a run twice, or the runs belong to different groups.
    """
    if not runs or len({run.run_id for run in runs}) < len(runs) or len({run.group for run in runs}) > 1:
        raise ExperimentError("Compare one or more different runs of one group.")
    return RunComparison(
        group=runs[0].group,
        runs=tuple(runs),
        metrics=tuple(_metric_row(name, runs) for name in _metric_names(runs)),
        params=_value_rows([run.params for run in runs]),
        facts=_value_rows([_facts(run) for run in runs]),
    )


def short_names(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return what all names begin with up to a hyphen, if it is long, and what follows it in each."""
    shared = os.path.commonprefix(list(names)).rpartition("-")[0]  # noqa: RUF071  by characters is meant
    prefix = f"{shared}-" if len(names) > 1 and len(shared) >= 8 else ""
    return prefix, [name.removeprefix(prefix) for name in names]


def metric_text(name: str, value: float | None) -> str:
    """Return a metric's value for people, and a dash for one that a run does not have."""
    return ABSENT if value is None else metric_value(name, value)


def text_of(value: Any) -> str:
    """Return a value as it is shown in a table."""
    match value:
        case None:
            return ABSENT
        case float():
            return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.4g}"
        case bool():
            return str(value).lower()
        case str():
            return value
    return json.dumps(value, ensure_ascii=False)


def value_text(value: Any) -> str:
    """Return a param as it is shown in a table: numbers as they were logged."""
    return f"{value:g}" if isinstance(value, float) else text_of(value)


def duration_text(seconds: float | None) -> str:
    """Return a duration for people, and a dash for a run that has not ended."""
    return ABSENT if seconds is None else duration(seconds)


def _metric_names(runs: Sequence[Run]) -> list[str]:
    """Return our scores in their own order, then the other metrics as they were logged."""
    names = dict.fromkeys(name for run in runs for name in run.newest)
    return [
        *(name for name in SCORE_NAMES if name in names),
        *(name for name in names if name not in SCORE_NAMES),
    ]


def _metric_row(name: str, runs: Sequence[Run]) -> MetricRow:
    values = tuple(run.metrics.get(name) for run in runs)
    present = [value for value in values if value is not None]
    if name not in SCORE_NAMES or len(set(present)) < 2:
        return MetricRow(name, values)
    top = max(present)
    return MetricRow(name, values, tuple(at for at, value in enumerate(values) if value == top))


def _value_rows(documents: Sequence[Mapping[str, Any]]) -> tuple[ValueRow, ...]:
    names = dict.fromkeys(name for document in documents for name in document)
    return tuple(ValueRow(name, tuple(document.get(name) for document in documents)) for name in names)


def _facts(run: Run) -> dict[str, Any]:
    facts = {
        "name": run.name if run.name != run.run_id else None,
        "status": run.status.value,
        "failed with": run.failure.error_type if run.failure else None,
        "started": f"{run.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        "duration": duration_text(run.duration_seconds),
        "dataset": run.dataset.dataset_id if run.dataset else None,
        "code": run.code_digest,
        "model version": run.tags.get("model_version"),
        "gate": run.tags.get("gate"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _render(comparison: RunComparison) -> Iterator[str]:
    prefix, names = short_names([run.run_id for run in comparison.runs])
    yield f"{comparison.group}: {len(names)} runs{f' {prefix}...' if prefix else ''}"
    header = ("", *names)
    scores = [(metric_definition(row.name).label, *_marked(row)) for row in comparison.metrics]
    yield from text_table("Metrics (* = best)", header, scores)
    differing = [row for row in comparison.params if row.differs]
    yield from text_table("Params that differ", header, [_cells(row) for row in differing])
    yield from text_table("Runs", header, [_cells(row) for row in comparison.facts])
    shared = [row for row in comparison.params if not row.differs]
    yield from text_table("Params of all", ("", "value"), [_cells(row)[:2] for row in shared])


def _marked(row: MetricRow) -> Iterator[str]:
    for at, value in enumerate(row.values):
        yield f"{metric_text(row.name, value)}{' *' if at in row.best else ''}"


def _cells(row: ValueRow) -> tuple[str, ...]:
    return (row.name, *(_short(value_text(value)) for value in row.values))


def _short(text: str) -> str:
    """Cut what would break a table; digests are known by their first digits."""
    return text if len(text) <= 40 else f"{text[:12]}…"
