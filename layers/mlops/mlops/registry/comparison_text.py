"""Two versions side by side, for a terminal or a mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mlops.models.training import Interval
from mlops.pages.text_table import text_table
from mlops.registry.comparison import MetricDifference, ModelComparison, ValuePair

MOST_IMPORTANCES = 10


def render_text(comparison: ModelComparison) -> str:
    """Return scores, data, settings and importances, each where there is something to say."""
    return "\n".join(_lines(comparison)) + "\n"


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
    importances = dict(islice(comparison.importance.items(), MOST_IMPORTANCES))
    yield from text_table("Importance", ("", a, b), _pairs(importances))


def _pairs(pairs: Mapping[str, ValuePair]) -> list[tuple[str, ...]]:
    return [(name, shown(pair.a), shown(pair.b)) for name, pair in pairs.items()]
