"""The charts of dashboards: lines or stacked columns over time, and horizontal bars."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from local.pages.widget_metrics import Series
from mlops.pages import svg

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 10, 22
_COLUMN_WIDTH = 10


def time_chart(
    series: Sequence[Series],
    limits: Sequence[dict[str, Any]],
    width: int,
    height: int,
    *,
    stacked: bool,
    top: float | None = None,
) -> Markup:
    """Draw series over time as lines, or as stacked columns.

    `limits` are the widget's horizontal lines, `top` the end of its axis: larger values are drawn there.
    """
    times = [at for entry in series for at, _ in entry.points]
    low, high = min(times), max(times)
    if high - low < 1:
        low, high = low - 30, high + 30
    margin = 6 if stacked else 0
    x = svg.Scale(low, high, _LEFT + margin, width - _RIGHT - margin)
    y, ticks = _value_axis(
        series, [float(line["value"]) for line in limits], height, stacked=stacked, top=top
    )
    frame = svg.Frame(x, y)
    clocks = [(at, _clock(at, with_seconds=high - low < 300)) for at in (low, (low + high) / 2, high)]
    marks = [frame.y_axis((tick, _short(tick)) for tick in ticks), frame.x_axis(clocks)]
    marks += _columns(series, frame) if stacked else _lines(series, frame)
    marks += [_limit(line, frame) for line in limits]
    return svg.drawing(marks, width, height, ", ".join(entry.label for entry in series))


def bar_chart(series: Sequence[Series]) -> Markup:
    """Draw one horizontal bar per series: its statistic over the whole range."""
    bars = [
        svg.Bar(entry.label, entry.total or 0.0, f"{entry.total or 0.0:g}", f"bar c{index % 10}")
        for index, entry in enumerate(series)
    ]
    longest = max(len(entry.label) for entry in series)
    return svg.bars(bars, "One bar per metric", label_width=min(220, 20 + 7.5 * longest))


def _value_axis(
    series: Sequence[Series], limits: list[float], height: int, *, stacked: bool, top: float | None
) -> tuple[svg.Scale, list[float]]:
    """Return the scale of the values, and round ticks that enclose all of them."""
    values = [value for entry in series for _, value in entry.points]
    sums: dict[float, float] = {}
    for entry in series:
        for at, value in entry.points:
            sums[at] = sums.get(at, 0.0) + value
    lowest = min(0.0, *values)
    highest = max([*(sums.values() if stacked else values), *limits]) if top is None else top
    step = svg.nice_step(highest - lowest, whole=all(value == int(value) for value in values))
    floor = math.floor(lowest / step) * step
    n_steps = max(math.ceil((highest - floor) / step - 1e-9), 1)
    ticks = [floor + step * tick for tick in range(n_steps + 1)]
    return svg.Scale(floor, ticks[-1], height - _BOTTOM, _TOP), ticks


def _lines(series: Sequence[Series], frame: svg.Frame) -> list[Markup]:
    return [
        frame.curve(entry.points, f"curve c{index % 10}")
        + svg.join(
            svg.circle(*frame.point(point), 3, f"dot c{index % 10}", _title(entry, point))
            for point in entry.points
        )
        for index, entry in enumerate(series)
    ]


def _columns(series: Sequence[Series], frame: svg.Frame) -> list[Markup]:
    marks, heights = [], dict.fromkeys((at for entry in series for at, _ in entry.points), 0.0)
    for index, entry in enumerate(series):
        for at, value in entry.points:
            bottom, heights[at] = heights[at], heights[at] + value
            top, size = frame.y(heights[at]), max(frame.y(bottom) - frame.y(heights[at]), 0.5)
            x, css = frame.x(at) - _COLUMN_WIDTH / 2, f"bar c{index % 10}"
            marks.append(svg.rectangle(x, top, _COLUMN_WIDTH, size, css, _title(entry, (at, value))))
    return marks


def _title(entry: Series, point: tuple[float, float]) -> Markup:
    return svg.element("title", f"{entry.label}: {point[1]:g} at {_clock(point[0], with_seconds=True)}")


def _limit(line: dict[str, Any], frame: svg.Frame) -> Markup:
    value, right = float(line["value"]), frame.x.end
    text = f"{line.get('label', '')} {value:g}".strip()
    label = svg.text(text, right, frame.y(value) - 4, css="limit", anchor="end")
    return svg.line(frame.x.start, frame.y(value), right, frame.y(value), "limit") + label


def _short(value: float) -> str:
    for limit, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / divisor:g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _clock(at: float, *, with_seconds: bool) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M:%S}" if with_seconds else f"{moment:%d %b %H:%M}"
