"""The model card: one version's quality, data and settings as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.models.evaluation import EvaluationDetails, SliceQuality, SliceTable
from mlops.models.metrics import metric_interval, metric_name, metric_value
from mlops.models.registry import ModelMetadata
from mlops.models.settings.prediction import ThresholdSettings
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.pages.number_format import number, percent, rows, value
from mlops.pages.rendering import render
from mlops.pipelines.model_card.figures import figures
from mlops.pipelines.model_card.record import CardRecord, cost, cost_tile, describe_changes, lineage

type Row = tuple[str, ...]

_MAX_FEATURES = 60
_MAX_TRIALS = 100
_MAX_CLASSES = 6
_UNDEFINED = "–"
_TOO_FEW = "too few"


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
    return render(
        "model_card",
        result=result,
        details=details,
        model=model,
        heading=f"Model card: {group or result.target}{f' {model.version}' if model else ''}",
        created_at=created_at,
        gate=model.gate if model else result.gate,
        tiles=tuple(_tiles(result, model)),
        figures=figures(result, details),
        slices=_view_slices(details.slice_table, result.metrics),
        data=_data(result),
        settings=tuple(_settings(result)),
        **_trials(result),
        **_registered(record),
    )


def _registered(record: CardRecord | None) -> dict[str, Any]:
    """Return what the card shows of a registered version; nothing before."""
    changes = record.model.data.changes if record else None
    job = record.model.training_job if record else None
    return {
        "data_note": describe_changes(changes) if changes else "",
        "lineage": lineage(record) if record else (),
        "cost": cost(job) if job else (),
    }


def _trials(result: TrainingResult) -> dict[str, Any]:
    """Return the trials of a search with the values of all hyperparameters that one of them has."""
    names = sorted({name for trial in result.trials for name in trial.hyperparameters})
    shown = [
        (trial, [_trial_value(trial.hyperparameters.get(name)) for name in names])
        for trial in result.trials[:_MAX_TRIALS]
    ]
    return {"trial_names": names, "trials": shown}


def _tiles(result: TrainingResult, model: ModelMetadata | None) -> Iterator[tuple[str, str, str]]:
    metrics = result.metrics
    primary = metrics.primary or ""
    score = metrics.values().get(primary)
    if score is not None:
        interval = metric_interval(primary, metrics.intervals.get(primary, (score, score)))
        yield metric_name(primary), metric_value(primary, score), f"95 % interval {interval}"
    if primary in metrics.dummy:
        yield "No-skill model", metric_value(primary, metrics.dummy[primary]), "knowing no feature"
    yield "Rows to train on", f"{result.n_rows_train:,}", f"held out: {result.n_rows_test:,}"
    took = "" if result.duration_seconds is None else f"trained in {result.duration_seconds:.1f} s"
    yield "Features", f"{len(result.features):,}", took
    paid = cost_tile(model.training_job) if model else None
    if paid:
        yield paid


def _data(result: TrainingResult) -> tuple[tuple[str, str], ...]:
    more = ", ..." if len(result.features) > _MAX_FEATURES else ""
    n_rows, service = result.n_rows_train + result.n_rows_test, result.settings.features.title
    return (
        ("Dataset (SHA-256)", result.dataset_digest),
        ("Held out", f"{result.split}; {rows(result.n_rows_test)} of {n_rows:,}"),
        ("Target", f"{result.target} ({result.task})"),
        ("Features", ", ".join(result.features[:_MAX_FEATURES]) + more),
        *((("Feature service", service),) if service else ()),
    )


def _settings(result: TrainingResult) -> Iterator[tuple[str, str]]:
    yield "Algorithm", result.algorithm
    primary = result.metrics.primary or ""
    chosen = [f"{name} {metric_value(primary, score)}" for name, score in result.contenders.items()]
    if chosen:
        yield "Chosen by", f"{metric_name(primary)} out of fold: {', '.join(chosen)}"
    for name, setting in sorted(result.hyperparameters.items()):
        yield name, value(setting)
    yield from _outputs(result)
    yield "Seed", str(result.settings.seed)
    yield "Made with", ", ".join(f"{name} {version}" for name, version in result.library_versions.items())


def _outputs(result: TrainingResult) -> Iterator[tuple[str, str]]:
    """Yield how probabilities become classes, and what the intervals of numbers contain."""
    metrics, settings = result.metrics, result.settings
    if metrics.threshold is not None:
        yield "Threshold", f"{metrics.threshold:.3f}, {_choice_of_threshold(settings.threshold)}"
    if metrics.mean_cost is not None and metrics.mean_cost_of_most_probable is not None:
        decides = "the class of the least expected cost is predicted; " if result.task == "multiclass" else ""
        yield (
            "Costs",
            f"{decides}{number(metrics.mean_cost)} for a row held out, "
            f"{number(metrics.mean_cost_of_most_probable)} if the most probable class were predicted",
        )
    if result.task != "regression":
        gain = metrics.calibration_gain
        is_own = "not calibrated: that does not lower the log loss out of fold"
        yield "Probabilities", is_own if gain is None else "calibrated out of fold"
    if metrics.set_coverage and settings.classes.set_coverage:
        yield f"Sets of {percent(settings.classes.set_coverage)}", _describe_sets(metrics)
    if metrics.interval_coverage is not None and metrics.mean_interval_width is not None:
        promised = percent(settings.intervals.coverage)
        yield (
            f"Intervals of {promised}",
            f"{percent(metrics.interval_coverage)} of the rows held out are inside; "
            f"{number(metrics.mean_interval_width)} wide on average",
        )


def _describe_sets(metrics: EvaluationMetrics) -> str:
    """Say in which share of the rows of each class the set contains it; of many classes the worst ones."""
    by_class = sorted((metrics.set_coverage or {}).items(), key=lambda entry: entry[1])
    shares = ", ".join(f"{label} {percent(share)}" for label, share in by_class[:_MAX_CLASSES])
    rest = ", all others more" if len(by_class) > _MAX_CLASSES else ""
    size = f"{metrics.mean_set_size:.2f} of {len(metrics.labels)} classes in a set on average"
    return f"rows held out whose set contains their class: {shares}{rest}; {size}"


def _choice_of_threshold(settings: ThresholdSettings) -> str:
    what = "the least cost" if settings.costs else f"the best {metric_name(settings.metric)}"
    required = [
        f"a {name} of at least {share:g}"
        for name, share in (("recall", settings.min_recall), ("precision", settings.min_precision))
        if share is not None
    ]
    return f"chosen for {what} out of fold" + (f" with {' and '.join(required)}" if required else "")


def _trial_value(setting: object) -> str:
    return "–" if setting is None else value(setting)


@dataclass(frozen=True, slots=True)
class _SliceView:
    """Headings, and a row for all held-out rows and for each slice."""

    headings: Row
    rows: tuple[Row, ...]


def _view_slices(table: SliceTable | None, metrics: EvaluationMetrics) -> _SliceView | None:
    """Return the table as texts; None where the settings name none."""
    if table is None:
        return None
    headings = ("Slice", "Rows", metric_name(metrics.primary or ""), "95 % interval", *_rate_names(metrics))
    return _SliceView(headings, tuple(_slice_row(entry, metrics) for entry in (table.overall, *table.slices)))


def _rate_names(metrics: EvaluationMetrics) -> Row:
    if metrics.task == "regression":
        return "Mean prediction", "Mean of the truth", "Mean error"
    if metrics.task == "binary":
        label = metrics.positive_label
        return f"Mean probability of {label}", f"Share of {label}", f"Predicted {label}"
    return "Mean probability of the predicted class", "Share predicted right"


def _slice_row(entry: SliceQuality, metrics: EvaluationMetrics) -> Row:
    name = f"{entry.column}: {entry.value}" if entry.column else entry.value
    return (
        name,
        f"{entry.n_rows:,}",
        *_slice_score(entry, metrics.primary or ""),
        *_slice_rates(entry, metrics),
    )


def _slice_score(entry: SliceQuality, primary: str) -> Row:
    if entry.predicted is None:
        return _TOO_FEW, ""
    score = _UNDEFINED if entry.score is None else metric_value(primary, entry.score)
    return score, "" if entry.interval is None else metric_interval(primary, entry.interval)


def _slice_rates(entry: SliceQuality, metrics: EvaluationMetrics) -> Iterator[str]:
    if entry.predicted is None or entry.observed is None:
        yield from ("" for _ in _rate_names(metrics))
    elif metrics.task == "regression":
        yield from (number(entry.predicted), number(entry.observed))
        yield f"{'+' if entry.predicted > entry.observed else ''}{number(entry.predicted - entry.observed)}"
    else:
        rates = (entry.predicted, entry.observed, entry.selection_rate)
        yield from (percent(rate) for rate in rates if rate is not None)
