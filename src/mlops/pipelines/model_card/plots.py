"""The plots of a model card."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from mlops.models.evaluation import CalibrationBin, Point, SliceScore
from mlops.models.metrics import metric_value
from mlops.models.settings.monitoring import DriftSettings
from mlops.models.training import FeatureShift
from mlops.pages import svg
from mlops.pages.number_format import number, percent

_SIZE, _LEFT, _RIGHT, _TOP, _BOTTOM = 440, 64, 430, 10, 300
_MATRIX_LABEL, _MATRIX_CELL = 130, 54
_MAX_CLASSES = 12
_LEGEND_ROW, _LEGEND_COLUMN = 20, 183


def curves(points: Mapping[str, Sequence[Point]], *, x: str, y: str, name: str, has_chance: bool) -> Markup:
    """Draw curves in the unit square, several with a legend; `has_chance` adds that of the no-skill model."""
    frame = _frame(0.0, 1.0)
    marks = [frame.curve([(0, 0), (1, 1)], "dashed")] if has_chance else []
    marks += [frame.curve(line, f"curve c{place % 10}") for place, line in enumerate(points.values())]
    if len(points) < 2:
        return _square(frame, marks, x, y, name)
    legend = [_legend_entry(place, label) for place, label in enumerate(points)]
    return _square(frame, [*marks, *legend], x, y, name, below=_LEGEND_ROW * math.ceil(len(points) / 2))


def _legend_entry(place: int, label: str) -> Markup:
    """Return the colour and the label of a curve, in one of two columns below the plot."""
    x, y = _LEFT + place % 2 * _LEGEND_COLUMN, _BOTTOM + 60 + place // 2 * _LEGEND_ROW
    key = svg.line(x, y - 4, x + 20, y - 4, f"curve c{place % 10}")
    return key + svg.text(label, x + 27, y, max_characters=20)


def calibration(bins: Sequence[CalibrationBin], *, is_regression: bool) -> Markup:
    """Draw what was predicted against what came true; points on the diagonal are predicted well."""
    ends = [value for entry in bins for value in (entry.predicted, entry.observed)]
    low, high = (min(ends), max(ends)) if is_regression else (0.0, 1.0)
    frame = _frame(low, high)
    points = [(entry.predicted, entry.observed) for entry in bins]
    marks = [
        frame.curve([(low, low), (high, high)], "dashed"),
        frame.curve(points, "curve"),
        frame.dots(points, "dot", 4.5),
    ]
    return _square(frame, marks, "predicted", "came true", "Calibration")


def scatter(sample: Sequence[Point]) -> Markup:
    """Draw true against predicted numbers of some rows; outliers are drawn at the edge."""
    ordered = sorted(value for point in sample for value in point)
    low, high = ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 50]
    frame = _frame(low, high)
    marks = [frame.curve([(low, low), (high, high)], "dashed"), frame.dots(sample, "cloud", 3.0)]
    return _square(frame, marks, "predicted", "true", "True against predicted values")


def residuals(sample: Sequence[Point]) -> Markup:
    """Draw by how much each of some rows is missed; points above the line are truly higher than predicted."""
    points = [(predicted, true - predicted) for predicted, true in sample]
    ends = sorted(predicted for predicted, _ in points)
    missed = sorted(abs(error) for _, error in points)
    reach = missed[-1 - len(missed) // 50] or 1.0
    low, high = ends[len(ends) // 100], ends[-1 - len(ends) // 100]
    frame = _frame(low, high, up=(-reach, reach))
    marks = [frame.curve([(low, 0.0), (high, 0.0)], "dashed"), frame.dots(points, "cloud", 3.0)]
    return _square(frame, marks, "predicted", "true minus predicted", "Residuals")


def importances(values: Mapping[str, float]) -> Markup:
    """Draw a bar per feature, in their order."""
    entries = [svg.Bar(name, value, number(value)) for name, value in values.items()]
    return svg.bars(entries, "Importance of the features")


def shifts(changed: Sequence[FeatureShift], limits: DriftSettings) -> Markup:
    """Draw how far columns moved since the last training file, with lines where drift warns and alerts."""
    entries = [svg.Bar(entry.column, entry.psi, f"{entry.psi:.2f}", entry.verdict) for entry in changed]
    marks = (limits.threshold, limits.alert_threshold)
    return svg.bars(entries, "Drift of the training file against the last one", marks=marks)


def slices(worst: Sequence[SliceScore], overall: float, scorer: str) -> Markup:
    """Draw each slice's score with its interval, and a line where all rows together are."""
    entries = [
        svg.Interval(
            f"{entry.column}: {entry.value}", entry.score, *entry.interval, metric_value(scorer, entry.score)
        )
        for entry in worst
    ]
    return svg.intervals(entries, overall, "Scores of the worst slices")


def confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> Markup:
    """Draw a confusion matrix; the shade is the share of the row. Empty for too many classes, or none."""
    size = len(labels)
    if not 0 < size <= _MAX_CLASSES:
        return Markup("")
    cell, top = (2 * _MATRIX_CELL, 58) if size < 4 else (_MATRIX_CELL, 138)
    marks = []
    for at, label in enumerate(labels):
        x, y = _MATRIX_LABEL + (at + 0.5) * cell, top + (at + 0.5) * cell
        marks.append(svg.text(label, _MATRIX_LABEL - 10, y + 5, anchor="end", max_characters=14))
        turned = f"translate({x + 4:.0f},{top - 10}) rotate(-60)"
        marks.append(
            svg.text(label, x, top - 10, anchor="middle", max_characters=16)
            if size < 4
            else svg.text(label, transform=turned, max_characters=16)
        )
    for row, counts in enumerate(matrix):
        total = max(1, sum(counts))
        for column, count in enumerate(counts):
            place = _MATRIX_LABEL + column * cell, top + row * cell
            marks += _cell(*place, cell, count, count / total, is_hit=row == column)
    width, height = _MATRIX_LABEL + size * cell + 30, top + size * cell + 2
    turned = f"translate(14,{top + size * cell / 2:g}) rotate(-90)"
    marks.append(svg.text("predicted", _MATRIX_LABEL + size * cell / 2, 16, css="tick", anchor="middle"))
    marks.append(svg.text("true", css="tick", anchor="middle", transform=turned))
    return svg.drawing(marks, width, height, "Confusion matrix", "figure matrix")


def _cell(x: float, y: float, size: int, count: int, share: float, *, is_hit: bool) -> list[Markup]:
    strong = " strong" if share > 0.55 else ""
    middle, below = x + size / 2, y + size / 2
    opacity = f"{0.09 + 0.81 * share if count else 0.03:.2f}"
    css = "hit" if is_hit else "miss"
    is_large = size > _MATRIX_CELL
    marks = [
        svg.rectangle(x + 1, y + 1, size - 2, size - 2, css, rx=5, fill_opacity=opacity),
        svg.text(
            f"{count:,}",
            middle,
            below + (2 if is_large else 5),
            css=f"count{strong if count else ' none'}",
            anchor="middle",
        ),
    ]
    if is_large:
        marks.append(svg.text(percent(share), middle, below + 20, css=f"share{strong}", anchor="middle"))
    return marks


def _frame(low: float, high: float, *, up: tuple[float, float] | None = None) -> svg.Frame:
    """Return the frame of a square plot; `up` are the ends of the y axis where they differ."""
    high = high if high > low else low + 1.0
    return svg.Frame(svg.Scale(low, high, _LEFT, _RIGHT), svg.Scale(*(up or (low, high)), _BOTTOM, _TOP))


def _square(frame: svg.Frame, marks: Sequence[Markup], x: str, y: str, name: str, below: int = 0) -> Markup:
    shares = (0.0, 0.5, 1.0)
    across = [(frame.x.at(share), number(frame.x.at(share))) for share in shares]
    up = [(frame.y.at(share), number(frame.y.at(share))) for share in shares]
    rules = [svg.line(frame.x(value), _TOP, frame.x(value), _BOTTOM, "grid") for value, _ in across]
    axes = [*rules, frame.y_axis(up), frame.x_axis(across), frame.titles(x, y)]
    return svg.drawing([*axes, *marks], _SIZE, _BOTTOM + 48 + below, name)
