"""Learning curves: one metric of several runs over their steps, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mlops.experiment.comparison.comparison import text_of
from mlops.models.experiment import MetricPoint

_WIDTH, _HEIGHT = 520, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 10, 30
_MAX_POINTS = 500

type Curve = Sequence[tuple[int, float]]


def curves_of(histories: Sequence[Sequence[MetricPoint]]) -> dict[str, list[Curve]]:
    """Return for each metric its curve in every run, in the runs' order; a run may have an empty one.

    Metrics that no run logged at two steps or more are left out: their newest value says it all.
    """
    names = dict.fromkeys(point.name for history in histories for point in history)
    curves = {name: [_curve(history, name) for history in histories] for name in names}
    return {name: lines for name, lines in curves.items() if any(len(line) > 1 for line in lines)}


def draw(metric: str, curves: Sequence[Curve], classes: Mapping[int, str]) -> str:
    """Return the drawing; `classes` gives the colour class of each run by its position."""
    frame = _Frame.around(curves)
    lines = "".join(_line(curve, frame, classes[at]) for at, curve in enumerate(curves) if curve)
    label = escape(f"{metric} over the steps of each run", quote=True)
    return (
        f'<svg class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{frame.axes()}{lines}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The range of steps and values that a drawing shows."""

    first: int
    last: int
    low: float
    high: float

    @classmethod
    def around(cls, curves: Sequence[Curve]) -> _Frame:
        steps = [step for curve in curves for step, _ in curve]
        values = [value for curve in curves for _, value in curve]
        low, high = min(values), max(values)
        margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        return cls(min(steps), max(steps), low - margin, high + margin)

    def x(self, step: int) -> float:
        span = max(self.last - self.first, 1)
        return _LEFT + (step - self.first) / span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self) -> str:
        marks = [self.low + (self.high - self.low) * share for share in (0.05, 0.5, 0.95)]
        rules = "".join(
            f'<path class="rule" d="M{_LEFT},{self.y(mark):.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 8}" y="{self.y(mark) + 4:.1f}" text-anchor="end">{_tick(mark)}</text>'
            for mark in marks
        )
        steps = ((self.first, "start"), (self.last, "end"))
        labels = "".join(
            f'<text x="{self.x(step):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">step {step}</text>'
            for step, anchor in steps
        )
        return rules + labels


def _curve(history: Sequence[MetricPoint], name: str) -> Curve:
    """Return the last finite value of each step, thinned to what a screen can show."""
    values = {p.step: p.value for p in history if p.name == name and p.value is not None}
    points = sorted(values.items())
    stride = -(-len(points) // _MAX_POINTS) or 1
    thinned = points[::stride]
    return thinned if not points or thinned[-1] == points[-1] else [*thinned, points[-1]]


def _line(curve: Curve, frame: _Frame, css_class: str) -> str:
    points = " ".join(f"{frame.x(step):.1f},{frame.y(value):.1f}" for step, value in curve)
    step, value = curve[-1]
    end = f'<circle class="{css_class}" cx="{frame.x(step):.1f}" cy="{frame.y(value):.1f}" r="3.5"/>'
    return f'<polyline class="{css_class}" points="{points}"/>{end}'


def _tick(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else text_of(value)
