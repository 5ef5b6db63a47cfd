"""Two versions of a model side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mlops.models.metrics import metric_definition, metric_difference, metric_interval, metric_value
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata
from mlops.models.training import Interval
from mlops.pages.rendering import in_frame, render
from mlops.pages.text_table import text_table

_MAX_IMPORTANCES = 10


@dataclass(frozen=True, slots=True)
class MetricDifference(Record):
    """One score of both versions; `difference` is b - a, above 0 = b is better.

    `interval` is the paired interval of the difference; it is there when b was compared with a on the same
    rows at its training. Otherwise each score comes from rows of its own, and only `interval_a` and
    `interval_b` are known.
    """

    a: float | None
    b: float | None
    difference: float | None
    interval_a: Interval | None = None
    interval_b: Interval | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class ValuePair(Record):
    """One value in both versions; None = the version does not have it."""

    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class ModelComparison(Record):
    """What differs from version `a` to version `b` of a group.

    `metrics` and `importance` hold every name of both versions, `hyperparameters`, `facts`
    (algorithm, target, code, image, libraries) and `data` (dataset, rows, findings) only what differs.
    `data_changes` are the sentences of intake on how the data of `b` differ from those of `a`, where it
    compared the two. `statuses` are those of both.
    """

    model_group: str
    a: str
    b: str
    metrics: Mapping[str, MetricDifference]
    hyperparameters: Mapping[str, ValuePair]
    facts: Mapping[str, ValuePair]
    features_added: tuple[str, ...]
    features_removed: tuple[str, ...]
    importance: Mapping[str, ValuePair]
    data: Mapping[str, ValuePair] = field(default_factory=dict)
    data_changes: tuple[str, ...] = ()
    statuses: ValuePair = field(default_factory=lambda: ValuePair(None, None))
    note: str | None = None

    def render(self) -> str:
        """Return the comparison as text for a terminal or an email."""
        return "\n".join(_lines(self)) + "\n"

    def render_html(self) -> str:
        """Return the comparison as one self-contained page: scores first, then what differs."""
        statuses = ((self.a, _shown(self.statuses.a), ""), (self.b, _shown(self.statuses.b), ""))
        heading = f"{self.model_group}: {self.a} and {self.b}"
        return render("versions", heading=heading, tiles=statuses, tables=tuple(_tables(self)))

    def __repr__(self) -> str:
        return f"ModelComparison({self.model_group}: {self.a} and {self.b}, {len(self.metrics)} scores)"

    def _repr_html_(self) -> str:
        return in_frame(self.render_html())


def compare(a: ModelMetadata, b: ModelMetadata) -> ModelComparison:
    """Return what differs from `a` to `b`."""
    return ModelComparison(
        model_group=b.model_group,
        a=a.version,
        b=b.version,
        metrics=_compare_metrics(a, b),
        hyperparameters=_differing(a.hyperparameters, b.hyperparameters),
        facts=_differing(_facts(a), _facts(b)),
        features_added=tuple(name for name in b.features if name not in set(a.features)),
        features_removed=tuple(name for name in a.features if name not in set(b.features)),
        importance=_pair(a.feature_importance, b.feature_importance),
        data=_differing(_data(a), _data(b)),
        data_changes=_data_changes(a, b),
        statuses=ValuePair(a.status.value, b.status.value),
        note=_note(a, b),
    )


def _compare_metrics(a: ModelMetadata, b: ModelMetadata) -> dict[str, MetricDifference]:
    scores_a, scores_b = a.metrics.values(), b.metrics.values()
    paired = b.comparison if b.comparison and b.comparison.champion_version == a.version else None
    compared = {}
    for name in dict.fromkeys((*scores_a, *scores_b)):
        one, other = scores_a.get(name), scores_b.get(name)
        on_same_rows = paired.metrics.get(name) if paired else None
        difference = other - one if one is not None and other is not None else None
        compared[name] = MetricDifference(
            a=on_same_rows.champion if on_same_rows else one,
            b=on_same_rows.candidate if on_same_rows else other,
            difference=on_same_rows.difference if on_same_rows else difference,
            interval_a=None if on_same_rows else a.metrics.intervals.get(name),
            interval_b=b.metrics.intervals.get(name),
            interval=on_same_rows.interval if on_same_rows else None,
        )
    return compared


def _facts(model: ModelMetadata) -> dict[str, Any]:
    job = model.training_job
    facts = {
        "algorithm": model.algorithm,
        "target": model.target,
        "code": model.source.digest,
        "image": job.image_uri if job else None,
        "instance": job.instance_type if job else None,
    }
    return facts | {f"library {name}": version for name, version in model.library_versions.items()}


def _data(model: ModelMetadata) -> dict[str, Any]:
    return {
        "dataset": model.dataset_version,
        "rows": model.data.n_rows,
        "verdict": model.data.verdict,
        "findings": len(model.data.findings),
        "uploaded by (not verified)": model.data.uploader,
    }


def _data_changes(a: ModelMetadata, b: ModelMetadata) -> tuple[str, ...]:
    changes = b.data.changes
    return changes.sentences if changes and changes.model_version == a.version else ()


def _note(a: ModelMetadata, b: ModelMetadata) -> str | None:
    """Say what the differences of the scores rest on; None when there is nothing to say."""
    paired = b.comparison if b.comparison and b.comparison.champion_version == a.version else None
    if paired is None:
        return "Each version was scored on its own held-out rows, so the differences do not prove anything."
    if not paired.comparable:
        return paired.reason
    return f"Both were scored on the same {paired.n_rows:,} rows, held out when {b.version} was trained."


def _pair(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, ValuePair]:
    """Put both sides together, the highest of `b` first where values are numbers."""
    names = sorted({**a, **b}, key=lambda name: (-(b.get(name) or 0.0), -(a.get(name) or 0.0), name))
    return {name: ValuePair(a.get(name), b.get(name)) for name in names}


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, ValuePair]:
    names = dict.fromkeys((*a, *b))
    return {name: ValuePair(a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _metric_cells(name: str, metric: MetricDifference) -> tuple[str, str, str, str]:
    """Return both scores with their intervals, the difference, and its own interval if it was paired."""
    a, b = _scored(name, metric.a, metric.interval_a), _scored(name, metric.b, metric.interval_b)
    if metric.difference is None:
        return a, b, "", ""
    between = metric_interval(name, metric.interval, is_difference=True) if metric.interval else "not paired"
    return a, b, metric_difference(name, metric.difference), between


def _scored(name: str, value: float | None, interval: Interval | None) -> str:
    """Return a score as text, with its interval in brackets."""
    if value is None:
        return _shown(value)
    between = f" ({metric_interval(name, interval)})" if interval else ""
    return f"{metric_value(name, value)}{between}"


def _shown(value: Any) -> str:
    """Return a value as text; `-` for one that is not there."""
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class _Table:
    """A part of the comparison, as text or on the page; an empty one is left out."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def _tables(comparison: ModelComparison) -> Iterator[_Table]:
    names = ("", comparison.a, comparison.b)
    scores = tuple(
        (metric_definition(name).label, *_metric_cells(name, metric))
        for name, metric in comparison.metrics.items()
    )
    note = (comparison.note,) if comparison.note and scores else ()
    yield _Table("Scores", (*names, "difference", "95 % interval"), scores, note)
    yield _Table("Data", names, _rows(comparison.data), comparison.data_changes)
    yield _Table("Hyperparameters", names, _rows(comparison.hyperparameters))
    yield _Table("Made from", names, _rows(comparison.facts))
    added, removed = (", ".join(n) for n in (comparison.features_added, comparison.features_removed))
    if added or removed:
        rows = (("new features", added or "none"), ("features left out", removed or "none"))
        yield _Table("Features", ("", "names"), rows)
    importances = dict(islice(comparison.importance.items(), _MAX_IMPORTANCES))
    yield _Table("Importance", names, _rows(importances))


def _lines(comparison: ModelComparison) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    yield f"{comparison.model_group}: {a} ({comparison.statuses.a}) -> {b} ({comparison.statuses.b})"
    for table in _tables(comparison):
        yield from text_table(table.title, table.header, table.rows)
        yield from (f"  {note}" for note in table.notes)


def _rows(pairs: Mapping[str, ValuePair]) -> tuple[tuple[str, ...], ...]:
    return tuple((name, _shown(pair.a), _shown(pair.b)) for name, pair in pairs.items())
