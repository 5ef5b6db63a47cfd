"""The table of the slices that the settings name, as the model card shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops.models.evaluation import SliceQuality, SliceTable
from mlops.models.metrics import metric_interval, metric_name, metric_value
from mlops.models.training import EvaluationMetrics
from mlops.pages.number_format import number, percent

type Row = tuple[str, ...]

_UNDEFINED = "–"
_TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class SliceView:
    """Headings, and a row for all held-out rows and for each slice."""

    headings: Row
    rows: tuple[Row, ...]


def view_slices(table: SliceTable | None, metrics: EvaluationMetrics) -> SliceView | None:
    """Return the table as texts; None where the settings name none."""
    if table is None:
        return None
    headings = ("Slice", "Rows", metric_name(metrics.primary or ""), "95 % interval", *_rate_names(metrics))
    return SliceView(headings, tuple(_row(entry, metrics) for entry in (table.overall, *table.slices)))


def _rate_names(metrics: EvaluationMetrics) -> Row:
    if metrics.task == "regression":
        return "Mean prediction", "Mean of the truth", "Mean error"
    if metrics.task == "binary":
        label = metrics.positive_label
        return f"Mean probability of {label}", f"Share of {label}", f"Predicted {label}"
    return "Mean probability of the predicted class", "Share predicted right"


def _row(entry: SliceQuality, metrics: EvaluationMetrics) -> Row:
    name = f"{entry.column}: {entry.value}" if entry.column else entry.value
    return (name, f"{entry.n_rows:,}", *_score(entry, metrics.primary or ""), *_rates(entry, metrics))


def _score(entry: SliceQuality, primary: str) -> Row:
    if entry.predicted is None:
        return _TOO_FEW, ""
    score = _UNDEFINED if entry.score is None else metric_value(primary, entry.score)
    return score, "" if entry.interval is None else metric_interval(primary, entry.interval)


def _rates(entry: SliceQuality, metrics: EvaluationMetrics) -> Iterator[str]:
    if entry.predicted is None or entry.observed is None:
        yield from ("" for _ in _rate_names(metrics))
    elif metrics.task == "regression":
        yield from (number(entry.predicted), number(entry.observed))
        yield f"{'+' if entry.predicted > entry.observed else ''}{number(entry.predicted - entry.observed)}"
    else:
        rates = (entry.predicted, entry.observed, entry.selection_rate)
        yield from (percent(rate) for rate in rates if rate is not None)
