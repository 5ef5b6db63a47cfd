"""The figures of a model card: which there are, what is said beside them, and each as a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from mlops.models.evaluation import EvaluationDetails
from mlops.models.training import DatasetChanges, EvaluationMetrics, TrainingResult
from mlops.pages.number_format import rows
from mlops.pipelines.model_card import plots
from mlops.pipelines.model_card.scores import score_name
from mlops.pipelines.model_card.style import FIGURE_STYLE

Chapter = Literal["errors", "looks", "data"]

_MAX_IMPORTANT = 12
_EXTENT = re.compile(r'viewBox="0 0 (\d+) (\d+)"')


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot; `name` is that of its file, `after` is HTML that follows it on the card."""

    name: str
    chapter: Chapter
    title: str
    note: str
    svg: str
    after: str = ""
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
        *_shifts(result.changes),
    )


def as_file(figure: Figure) -> bytes:
    """Return a figure as an SVG file that needs nothing from elsewhere: colours, fonts and size within."""
    width, height = _EXTENT.search(figure.svg).groups()  # type: ignore[union-attr]
    size = f'xmlns="http://www.w3.org/2000/svg" class="figure" width="{width}" height="{height}" '
    style = f"<style>{FIGURE_STYLE}</style>"
    opened, rest = figure.svg.replace("<svg ", f"<svg {size}", 1).split(">", 1)
    if 'class="matrix"' in opened:
        opened = opened.replace(' class="matrix"', "", 1)
    return f"{opened}>{style}{rest}\n".encode()


def _curves(details: EvaluationDetails) -> Iterator[Figure]:
    if not details.roc:
        return
    roc = plots.curves(
        details.roc, x="false positive rate", y="true positive rate", name="ROC curve", has_chance=True
    )
    yield Figure("roc", "errors", "ROC curve", "Higher is better; the dashed line is a guess.", roc)
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
        note += f" On average they are off by {error:.3f} (expected calibration error)."
    if is_regression:
        note = "Mean of what came true by tenth of the predictions; best on the dashed line."
    plot = plots.calibration(details.calibration, is_regression=is_regression)
    yield Figure("calibration", "errors", "Calibration", note, plot)


def _regression(details: EvaluationDetails) -> Iterator[Figure]:
    if not details.sample:
        return
    counted = rows(len(details.sample))
    note = f"{counted} held out; far-off ones lie at the edge."
    yield Figure("predicted", "errors", "True against predicted", note, plots.scatter(details.sample))
    note = "Above the line the truth is higher than predicted; a bend or a funnel is a pattern left to learn."
    yield Figure("residuals", "errors", "Residuals", note, plots.residuals(details.sample))


def _confusion(metrics: EvaluationMetrics) -> Iterator[Figure]:
    matrix = plots.confusion(metrics.confusion_matrix, metrics.labels) if metrics.labels else ""
    if not matrix:
        return
    note = "Rows are the truth, columns the prediction; the shade is the share of the row."
    if metrics.threshold is not None:
        note += f" {metrics.positive_label} is said from a probability of {metrics.threshold:.3f} on."
    is_wide = len(metrics.labels) > 8
    yield Figure("confusion", "errors", "Confusion matrix", note, matrix, is_wide=is_wide)


def _importance(importance: Mapping[str, float]) -> Iterator[Figure]:
    shown = dict(list(importance.items())[:_MAX_IMPORTANT])
    if not any(shown.values()):
        return
    rest = len(importance) - len(shown)
    note = "What the model's main score loses when a column is shuffled."
    note += f" {rest} further columns matter less." if rest else ""
    plot = plots.bars(shown, name="Importance of the features")
    yield Figure("importance", "looks", "Importance", note, plot)


def _slices(metrics: EvaluationMetrics, details: EvaluationDetails) -> Iterator[Figure]:
    overall = metrics.values().get(metrics.primary or "")
    if not details.slices or overall is None:
        return
    name = score_name(metrics.primary or "")
    note = (
        f"{name} of the rows in which it is lowest, with 95 % intervals; the line is all rows "
        f"({overall:.3f}). The lowest of many are partly so by chance."
    )
    sizes = "".join(
        f"<tr><th scope='row'>{escape(entry.column)}: {escape(entry.value)}</th>"
        f'<td class="num">{entry.n_rows:,}</td><td class="num">{entry.score:.3f}</td></tr>'
        for entry in details.slices
    )
    table = (
        f'<details><summary>Rows per slice</summary><div class="scroll"><table><tbody>{sizes}</tbody></table>'
        "</div></details>"
    )
    yield Figure("slices", "looks", "Worst slices", note, plots.slices(details.slices, overall), table)


def _shifts(changes: DatasetChanges | None) -> Iterator[Figure]:
    if changes is None or not changes.shifts:
        return
    since = f"the file of {changes.model_version}" if changes.model_version else "the champion's file"
    note = (
        f"Population stability index of the columns that moved farthest from {since}: 0 is the same, from "
        f"{plots.SHIFT_WARN} on it is worth a look, from {plots.SHIFT_ALERT} on it is another population."
    )
    yield Figure("drift", "data", "Drift since the last training", note, plots.shifts(changes.shifts))
