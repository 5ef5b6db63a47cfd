"""Two versions of a model side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.models.record import Record
from mlops.models.registry import ModelMetadata
from mlops.models.training import Interval

_RENDERED_IMPORTANCES = 10


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

    `metrics` and `importance` hold every name that one of the two knows, `hyperparameters` and `facts`
    (algorithm, dataset, rows, target, code, libraries) only what differs.
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

    def render(self) -> str:
        """Return the comparison as text for a terminal or a mail."""
        return "\n".join(_render(self)) + "\n"


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
            interval_a=a.metrics.intervals.get(name),
            interval_b=b.metrics.intervals.get(name),
            interval=on_same_rows.interval if on_same_rows else None,
        )
    return compared


def _facts(model: ModelMetadata) -> dict[str, Any]:
    facts = {
        "algorithm": model.algorithm,
        "dataset": model.dataset_version,
        "rows": model.data.n_rows,
        "target": model.target,
        "code": model.source.digest,
    }
    return facts | {f"library {name}": version for name, version in model.library_versions.items()}


def _pair(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, ValuePair]:
    """Put both sides together, the highest of `b` first where values are numbers."""
    names = sorted({**a, **b}, key=lambda name: (-(b.get(name) or 0.0), -(a.get(name) or 0.0), name))
    return {name: ValuePair(a.get(name), b.get(name)) for name in names}


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, ValuePair]:
    names = dict.fromkeys((*a, *b))
    return {name: ValuePair(a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _render(comparison: ModelComparison) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    yield f"{comparison.model_group}: {a} -> {b}"
    rows = [(name, *_metric_cells(metric)) for name, metric in comparison.metrics.items()]
    yield from _table("Scores (greater is better)", ("", a, b, "difference", "95 % interval"), rows)
    yield from _table("Hyperparameters", ("", a, b), _value_rows(comparison.hyperparameters))
    yield from _table("Made from", ("", a, b), _value_rows(comparison.facts))
    if comparison.features_added or comparison.features_removed:
        yield ""
        yield f"New features: {', '.join(comparison.features_added) or 'none'}"
        yield f"Features left out: {', '.join(comparison.features_removed) or 'none'}"
    importances = dict(list(comparison.importance.items())[:_RENDERED_IMPORTANCES])
    yield from _table("Importance", ("", a, b), _value_rows(importances))


def _metric_cells(metric: MetricDifference) -> tuple[str, str, str, str]:
    interval = f"{metric.interval[0]:+.4f} to {metric.interval[1]:+.4f}" if metric.interval else "not paired"
    difference = "" if metric.difference is None else f"{metric.difference:+.4f}"
    return _text(metric.a), _text(metric.b), difference, interval if difference else ""


def _value_rows(pairs: Mapping[str, ValuePair]) -> list[tuple[str, ...]]:
    return [(name, _text(pair.a), _text(pair.b)) for name, pair in pairs.items()]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    yield ""
    yield title
    for row in (header, *rows):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
