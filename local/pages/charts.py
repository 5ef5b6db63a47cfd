"""Small SVG charts: lines over time, stacked columns over time, horizontal bars."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from local.pages.widget_metrics import Series

PALETTE = ("#1f6feb", "#e8833a", "#2a9d6f", "#c0362c", "#7a5bd0", "#0f8b9d", "#b5488f", "#7d8590")
_INK, _LINE = "#5d6b7a", "#e3e8ee"
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 10, 22
_TICKS = 4


def color_of(series: Series, index: int) -> str:
    """Return the colour that the widget asks for, or the next of the palette."""
    asked = series.color or ""
    return asked if asked.startswith("#") and asked[1:].isalnum() else PALETTE[index % len(PALETTE)]


def nice_step(span: float, *, whole: bool) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about four make `span`; never below 1 if `whole`."""
    if span <= 0:
        return 1.0
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return max(step, 1.0) if whole else step


def time_chart(
    series: Sequence[Series], annotations: Sequence[dict[str, Any]], width: int, height: int, *, stacked: bool
) -> str:
    """Draw series over time as lines, or as stacked columns."""
    times = [at for entry in series for at, _ in entry.points]
    low, high = min(times), max(times)
    if high - low < 1:
        low, high = low - 30, high + 30
    values = [value for entry in series for _, value in entry.points]
    highest = max([_highest(series, stacked=stacked), *(float(line["value"]) for line in annotations)])
    lowest = min(0.0, *values)
    step = nice_step(highest - lowest, whole=all(value == int(value) for value in values))
    floor = math.floor(lowest / step) * step
    top = max(math.ceil(highest / step - 1e-9) * step, floor + step)
    inner = width - _LEFT - _RIGHT - (12 if stacked else 0)

    def x(at: float) -> float:
        return _LEFT + (6 if stacked else 0) + (at - low) / (high - low) * inner

    def y(value: float) -> float:
        return height - _BOTTOM - (value - floor) / (top - floor) * (height - _TOP - _BOTTOM)

    parts = [_grid(floor, top, step, y, width), _time_labels(low, high, x, height)]
    parts.append(_columns(series, x, y) if stacked else _lines(series, x, y))
    parts += [_annotation(line, y, width) for line in annotations]
    return _svg("".join(parts), width, height)


def bar_chart(series: Sequence[Series], width: int, height: int) -> str:
    """Draw one horizontal bar per series: its statistic over the whole range."""
    rows = [(entry, entry.total or 0.0) for entry in series]
    top = max(value for _, value in rows) or 1.0
    step = min(40.0, (height - 8) / len(rows))
    label_width = min(width * 0.45, 7.2 * max(len(entry.label) for entry, _ in rows) + 14)
    room = width - label_width - 60
    parts = []
    for index, (entry, value) in enumerate(rows):
        middle = (height - step * len(rows)) / 2 + step * (index + 0.5)
        length = max(0.0, value / top * room)
        parts.append(
            f'<text x="{label_width - 8:.0f}" y="{middle + 4:.1f}" text-anchor="end">'
            f"{escape(entry.label)}</text>"
            f'<rect x="{label_width:.0f}" y="{middle - step * 0.3:.1f}" width="{max(length, 1.5):.1f}" '
            f'height="{step * 0.6:.1f}" rx="3" fill="{color_of(entry, index)}"/>'
            f'<text x="{label_width + length + 7:.1f}" y="{middle + 4:.1f}" class="v">{value:g}</text>'
        )
    return _svg("".join(parts), width, height)


def _highest(series: Sequence[Series], *, stacked: bool) -> float:
    if not stacked:
        return max(value for entry in series for _, value in entry.points)
    sums: dict[float, float] = {}
    for entry in series:
        for at, value in entry.points:
            sums[at] = sums.get(at, 0.0) + value
    return max(sums.values())


def _lines(series: Sequence[Series], x: Any, y: Any) -> str:
    parts = []
    for index, entry in enumerate(series):
        color = color_of(entry, index)
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in entry.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="3" fill="{color}">'
            f"<title>{escape(entry.label)}: {value:g} at {_clock(at, with_seconds=True)}</title></circle>"
            for at, value in entry.points
        ]
    return "".join(parts)


def _columns(series: Sequence[Series], x: Any, y: Any) -> str:
    parts, heights = [], dict.fromkeys((at for entry in series for at, _ in entry.points), 0.0)
    for index, entry in enumerate(series):
        for at, value in entry.points:
            bottom, heights[at] = heights[at], heights[at] + value
            parts.append(
                f'<rect x="{x(at) - 5:.1f}" y="{y(heights[at]):.1f}" width="10" '
                f'height="{max(y(bottom) - y(heights[at]), 0.5):.1f}" fill="{color_of(entry, index)}">'
                f"<title>{escape(entry.label)}: {value:g} at {_clock(at, with_seconds=True)}</title></rect>"
            )
    return "".join(parts)


def _grid(floor: float, top: float, step: float, y: Any, width: int) -> str:
    values = [floor + step * tick for tick in range(round((top - floor) / step) + 1)]
    return "".join(
        f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{_LINE}"/>'
        f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        for value in values
    )


def _time_labels(low: float, high: float, x: Any, height: int) -> str:
    with_seconds = high - low < 300
    moments = [low, (low + high) / 2, high]
    anchors = ("start", "middle", "end")
    return "".join(
        f'<text x="{x(at):.1f}" y="{height - 5}" text-anchor="{anchor}">'
        f"{_clock(at, with_seconds=with_seconds)}</text>"
        for at, anchor in zip(moments, anchors, strict=True)
    )


def _annotation(line: dict[str, Any], y: Any, width: int) -> str:
    at, color = y(float(line["value"])), "#c0362c"
    text = f"{line.get('label', '')} {float(line['value']):g}".strip()
    return (
        f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{color}" '
        f'stroke-dasharray="5 4" opacity=".75"/>'
        f'<text x="{width - _RIGHT}" y="{at - 4:.1f}" text-anchor="end" '
        f'style="fill:{color}">{escape(text)}</text>'
    )


def _short(value: float) -> str:
    for limit, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / divisor:g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _clock(at: float, *, with_seconds: bool) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M:%S}" if with_seconds else f"{moment:%d %b %H:%M}"


def _svg(content: str, width: int, height: int) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img"><style>'
        f'text{{font:11px system-ui,"DejaVu Sans",sans-serif;fill:{_INK}}}'
        f"text.v{{font-weight:600;fill:#1d2733}}</style>{content}</svg>"
    )
