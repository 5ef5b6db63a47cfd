"""The figures of a model card: which there are, what is said beside them, and each as a file of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from mlops.models.evaluation import CalibrationBin, EvaluationDetails
from mlops.models.metrics import metric_name, metric_value
from mlops.models.settings.monitoring import DriftSettings
from mlops.models.training import DatasetChanges, EvaluationMetrics, TrainingResult
from mlops.pages.number_format import rows
from mlops.pages.style import FIGURE_STYLE
from mlops.pipelines.model_card import plots

Chapter = Literal["errors", "looks", "data"]

_MAX_IMPORTANT = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot; `name` is that of its file, `rows` are the lines of a table that follows it on the card."""

    name: str
    chapter: Chapter
    title: str
    note: str
    svg: Markup
    rows: tuple[tuple[str, ...], ...] = ()
    is_wide: bool = False


def figures(result: TrainingResult, details: EvaluationDetails) -> tuple[Figure, ...]:
    """Return the figures that the evaluation gives, in the order of the card."""
    return (
        *_curves(details),
        *_calibration(result, details),
        *_regression(details),
        *_confusion(result.metrics),
        *_importance(result.feature_importance),
        *_slices(result.metrics, details),
        *_shifts(result.changes, result.settings.drift),
    )


def as_file(figure: Figure) -> bytes:
    """Return a figure as an SVG file that needs nothing from elsewhere: colours, fonts and size within."""
    drawn = str(figure.svg)
    view_box = drawn.partition('viewBox="')[2].partition('"')[0]
    width, height = view_box.split()[2:]
    size = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    opened, rest = drawn.replace("<svg ", size, 1).split(">", 1)
    return f"{opened}><style>{FIGURE_STYLE}</style>{rest}\n".encode()


def _curves(details: EvaluationDetails) -> Iterator[Figure]:
    if not details.roc:
        return
    roc = plots.curves(
        details.roc, x="false positive rate", y="true positive rate", name="ROC curve", has_chance=True
    )
    of_classes = " Curves of the most frequent classes." if len(details.roc) > 1 else ""
    note = f"Higher is better; the dashed line is the no-skill model.{of_classes}"
    yield Figure("roc", "errors", "ROC curve", note, roc)
    precision = plots.curves(
        details.precision_recall, x="recall", y="precision", name="Precision and recall", has_chance=False
    )
    note = "How many are found, and how many of the found are right."
    yield Figure("precision_recall", "errors", "Precision and recall", note, precision)


def _calibration(result: TrainingResult, details: EvaluationDetails) -> Iterator[Figure]:
    if not details.calibration:
        return
    is_regression = result.task == "regression"
    note = "On the dashed line, predictions come true as often as they say."
    if (error := result.metrics.expected_calibration_error) is not None:
        by_chance = error_by_chance(details.calibration)
        note += f" On average they are off by {error:.3f} (expected calibration error);"
        note += f" on as many rows those of a perfect model are off by {by_chance:.3f}."
    if (gain := result.metrics.calibration_gain) is not None:
        note += f" They are calibrated, which lowers the log loss out of fold by {gain:.4f}."
    if is_regression:
        note = "Mean of what came true by tenth of the predictions; best on the dashed line."
    plot = plots.calibration(details.calibration, is_regression=is_regression)
    yield Figure("calibration", "errors", "Calibration", note, plot)


def error_by_chance(bins: Sequence[CalibrationBin]) -> float:
    """Return the expected calibration error of probabilities that are all true, on rows in these parts."""
    deviations = (2.0 * part.predicted * (1.0 - part.predicted) * part.n_rows / math.pi for part in bins)
    return sum(map(math.sqrt, deviations)) / sum(part.n_rows for part in bins)


def _regression(details: EvaluationDetails) -> Iterator[Figure]:
    if not details.sample:
        return
    note = f"{rows(len(details.sample))} held out; those far off are drawn at the edge."
    yield Figure("predicted", "errors", "True against predicted", note, plots.scatter(details.sample))
    note = "Above the line the truth is higher than predicted; a bend or a funnel is a pattern left to learn."
    yield Figure("residuals", "errors", "Residuals", note, plots.residuals(details.sample))


def _confusion(metrics: EvaluationMetrics) -> Iterator[Figure]:
    matrix = plots.confusion(metrics.confusion_matrix, metrics.labels)
    if not matrix:
        return
    note = "Rows are the truth, columns the prediction; the shade is the share of the row."
    if metrics.threshold is not None:
        note += f" {metrics.positive_label} is predicted from a probability of {metrics.threshold:.3f} on."
    is_wide = len(metrics.labels) > 8
    yield Figure("confusion", "errors", "Confusion matrix", note, matrix, is_wide=is_wide)


def _importance(importance: Mapping[str, float]) -> Iterator[Figure]:
    shown = dict(list(importance.items())[:_MAX_IMPORTANT])
    if not any(shown.values()):
        return
    rest = len(importance) - len(shown)
    note = "What the model's main score loses when a column is shuffled."
    note += f" {rest} further columns matter less." if rest else ""
    yield Figure("importance", "looks", "Importance", note, plots.importances(shown))


def _slices(metrics: EvaluationMetrics, details: EvaluationDetails) -> Iterator[Figure]:
    if not details.slices or metrics.primary_score is None:
        return
    primary, overall = metrics.primary_score
    note = (
        f"{metric_name(primary)} of the rows in which it is worst, with 95 % intervals; the line is all rows "
        f"({metric_value(primary, overall)}), and right of it is better. The worst of many are partly so by "
        "chance."
    )
    sizes = tuple(
        (f"{entry.column}: {entry.value}", f"{entry.n_rows:,}", metric_value(primary, entry.score))
        for entry in details.slices
    )
    drawn = plots.slices(details.slices, overall, primary)
    yield Figure("slices", "looks", "Worst slices", note, drawn, sizes)


def _shifts(changes: DatasetChanges | None, limits: DriftSettings) -> Iterator[Figure]:
    if changes is None or not changes.shifts:
        return
    since = f"the file of {changes.model_version}" if changes.model_version else "the champion's file"
    note = (
        f"Population stability index of the columns that moved farthest from {since}: 0 is the same, from "
        f"{limits.threshold:g} on it is worth a look, from {limits.alert_threshold:g} on it is another "
        "population."
    )
    drawn = plots.shifts(changes.shifts, limits)
    yield Figure("drift", "data", "Drift since the last training", note, drawn)
