"""Learning curves: one metric of several runs over their steps."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from mlops.models.experiment import MetricPoint
from mlops.models.metrics import metric_shown
from mlops.pages import svg
from mlops.pages.number_format import number

_WIDTH, _HEIGHT = 520, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 512, 10, 180
_MAX_POINTS = 500
_N_COLOURS = 10

type Curve = Sequence[tuple[int, float]]


def curves_of(histories: Sequence[Sequence[MetricPoint]]) -> dict[str, list[Curve]]:
    """Return for each metric its curve in every run as people see it; a run may have an empty one.

    Metrics that no run logged at two steps or more are left out: their newest value says it all.
    """
    names = dict.fromkeys(point.name for history in histories for point in history)
    curves = {name: [_curve(history, name) for history in histories] for name in names}
    return {name: lines for name, lines in curves.items() if any(len(line) > 1 for line in lines)}


def draw(metric: str, curves: Sequence[Curve]) -> Markup:
    """Return the drawing; the position of a run gives its colour."""
    frame = _frame(curves)
    steps = [(step, f"step {step:.0f}") for step in (frame.x.low, frame.x.high)]
    values = [(frame.y.at(share), number(frame.y.at(share))) for share in (0.05, 0.5, 0.95)]
    marks = [frame.y_axis(values), frame.x_axis(steps)]
    for at, curve in enumerate(curves):
        if curve:
            series = f"c{at % _N_COLOURS}"
            marks += [frame.curve(curve, f"curve {series}"), frame.dots(curve[-1:], f"dot {series}", 3.5)]
    return svg.drawing(marks, _WIDTH, _HEIGHT, f"{metric} over the steps of each run")


def _frame(curves: Sequence[Curve]) -> svg.Frame:
    steps = [step for curve in curves for step, _ in curve]
    values = [value for curve in curves for _, value in curve]
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    x = svg.Scale(min(steps), max(steps), _LEFT, _RIGHT)
    return svg.Frame(x, svg.Scale(low - margin, high + margin, _BOTTOM, _TOP))


def _curve(history: Sequence[MetricPoint], name: str) -> Curve:
    """Return the last finite value of each step, thinned to what a screen can show."""
    values = {
        point.step: metric_shown(name, point.value)
        for point in history
        if point.name == name and point.value is not None
    }
    points = sorted(values.items())
    stride = -(-len(points) // _MAX_POINTS) or 1
    thinned = points[::stride]
    return thinned if not points or thinned[-1] == points[-1] else [*thinned, points[-1]]
