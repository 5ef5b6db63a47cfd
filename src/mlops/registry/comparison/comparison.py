"""Two versions of a model side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mlops.models.record import Record
from mlops.models.registry import ModelMetadata
from mlops.models.training import Interval
from mlops.pages.text_table import text_table

MAX_IMPORTANCES = 10


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

    `metrics` and `importance` hold every name that one of the two knows, `hyperparameters`, `facts`
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
        "uploaded by": model.data.uploader,
    }


def _data_changes(a: ModelMetadata, b: ModelMetadata) -> tuple[str, ...]:
    changes = b.data.changes
    return changes.sentences if changes and changes.model_version == a.version else ()


def _note(a: ModelMetadata, b: ModelMetadata) -> str | None:
    """Say what the differences of the scores rest on; None when there is nothing to say."""
    paired = b.comparison if b.comparison and b.comparison.champion_version == a.version else None
    if paired is None:
        return "Each version was scored on held-out rows of its own: the differences are no proof."
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


def metric_cells(metric: MetricDifference) -> tuple[str, str, str, str]:
    """Return both scores with their intervals, the difference, and what is known of its own interval."""
    if metric.difference is None:
        return scored(metric.a, metric.interval_a), scored(metric.b, metric.interval_b), "", ""
    between = f"{metric.interval[0]:+.4f} to {metric.interval[1]:+.4f}" if metric.interval else "not paired"
    a, b = scored(metric.a, metric.interval_a), scored(metric.b, metric.interval_b)
    return a, b, f"{metric.difference:+.4f}", between


def scored(value: float | None, interval: Interval | None) -> str:
    """Return a score as text, with its interval in brackets."""
    if value is None or interval is None:
        return shown(value)
    return f"{value:.4f} ({interval[0]:.4f} to {interval[1]:.4f})"


def shown(value: Any) -> str:
    """Return a value as text; `-` for one that is not there."""
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _lines(comparison: ModelComparison) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    yield f"{comparison.model_group}: {a} ({comparison.statuses.a}) -> {b} ({comparison.statuses.b})"
    rows = [(name, *metric_cells(metric)) for name, metric in comparison.metrics.items()]
    yield from text_table("Scores (greater is better)", ("", a, b, "difference", "95 % interval"), rows)
    if rows and comparison.note:
        yield f"  {comparison.note}"
    yield from text_table("Data", ("", a, b), _pairs(comparison.data))
    yield from (f"  {sentence}" for sentence in comparison.data_changes)
    yield from text_table("Hyperparameters", ("", a, b), _pairs(comparison.hyperparameters))
    yield from text_table("Made from", ("", a, b), _pairs(comparison.facts))
    if comparison.features_added or comparison.features_removed:
        yield ""
        yield f"New features: {', '.join(comparison.features_added) or 'none'}"
        yield f"Features left out: {', '.join(comparison.features_removed) or 'none'}"
    importances = dict(islice(comparison.importance.items(), MAX_IMPORTANCES))
    yield from text_table("Importance", ("", a, b), _pairs(importances))


def _pairs(pairs: Mapping[str, ValuePair]) -> list[tuple[str, ...]]:
    return [(name, shown(pair.a), shown(pair.b)) for name, pair in pairs.items()]
