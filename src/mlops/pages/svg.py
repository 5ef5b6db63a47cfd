"""Drawings as inline SVG: elements, scales, a frame with axes, rows of bars; the style sheet colours them.

All text and every attribute is escaped in `element`, so that a label may come from any data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Point = tuple[float, float]

ROW_HEIGHT = 29
_ROWS_WIDTH, _LABEL_WIDTH, _VALUE_WIDTH = 460, 165, 70
_BAR_HEIGHT = 16
_CHARACTER_WIDTH = 7.5
_STEPS = 4


def element(name: str, content: object = "", **attributes: object) -> Markup:
    """Return an element; attributes that are None are left out, `_` in their names becomes `-`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _digits(value))
        for key, value in attributes.items()
        if value is not None
    )
    form = Markup("<{0}{1}>{2}</{0}>") if content else Markup("<{0}{1}/>")
    return form.format(name, written, content)


def join(marks: Iterable[Markup]) -> Markup:
    """Return the marks one after the other."""
    return Markup("").join(marks)


def drawing(marks: Iterable[Markup], width: float, height: float, label: str, css: str = "figure") -> Markup:
    """Return an SVG image of that extent; a screen reader reads `label`."""
    box = f"0 0 {width:g} {height:g}"
    return element("svg", join(marks), class_=css, viewBox=box, role="img", aria_label=label)


def text(
    content: str,
    x: float | None = None,
    y: float | None = None,
    *,
    css: str | None = None,
    anchor: str | None = None,
    max_characters: int | None = None,
    transform: str | None = None,
) -> Markup:
    """Return a text; one longer than `max_characters` is cut, and shows whole when pointed at."""
    shown: object = content
    if max_characters is not None and len(content) > max_characters:
        shown = join([element("title", content), escape(f"{content[: max_characters - 1]}…")])
    return element("text", shown, x=x, y=y, class_=css, text_anchor=anchor, transform=transform)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    """Return a straight line."""
    return element("line", class_=css, x1=x1, y1=y1, x2=x2, y2=y2)


def rectangle(
    x: float, y: float, width: float, height: float, css: str, content: object = "", **attributes: object
) -> Markup:
    """Return a rectangle; `content` may be its title."""
    return element(
        "rect", content, class_=css, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), **attributes
    )


def circle(x: float, y: float, radius: float, css: str, content: object = "") -> Markup:
    """Return a circle; `content` may be its title."""
    return element("circle", content, class_=css, cx=x, cy=y, r=radius)


def polyline(points: Iterable[Point], css: str) -> Markup:
    """Return a line through points."""
    return element("polyline", class_=css, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def nice_step(span: float, *, whole: bool = False) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about four make `span`; never below 1 if `whole`."""
    if span <= 0:
        return 1.0
    rough = span / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return max(step, 1.0) if whole else step


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low`..`high` to the places `start`..`end`; values outside are drawn at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def at(self, share: float) -> float:
        """Return the value at a share (0..1) of the scale."""
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Frame:
    """Two axes: x from left to right, y from bottom to top (its `start` is the bottom)."""

    x: Scale
    y: Scale

    def point(self, point: Point) -> Point:
        """Return where a point is drawn."""
        return self.x(point[0]), self.y(point[1])

    def curve(self, points: Iterable[Point], css: str) -> Markup:
        """Draw a line through points."""
        return polyline(map(self.point, points), css)

    def dots(self, points: Iterable[Point], css: str, radius: float) -> Markup:
        """Draw a circle for each point."""
        return join(circle(*self.point(point), radius, css) for point in points)

    def y_axis(self, ticks: Iterable[tuple[float, str]]) -> Markup:
        """Draw a rule across the frame for each tick, with its label on the left."""
        return join(
            line(self.x.start, self.y(value), self.x.end, self.y(value), "grid")
            + text(label, self.x.start - 7, self.y(value) + 5, css="tick", anchor="end")
            for value, label in ticks
        )

    def x_axis(self, ticks: Iterable[tuple[float, str]]) -> Markup:
        """Label ticks below the frame; the outer ones stay within its ends."""
        places = {self.x.start: "start", self.x.end: "end"}
        return join(
            text(
                label,
                self.x(value),
                self.y.start + 19,
                css="tick",
                anchor=places.get(self.x(value), "middle"),
            )
            for value, label in ticks
        )

    def titles(self, x: str, y: str) -> Markup:
        """Name both axes."""
        middle = (self.y.start + self.y.end) / 2
        turned = f"translate(14,{middle:g}) rotate(-90)"
        below = text(x, (self.x.start + self.x.end) / 2, self.y.start + 40, css="tick", anchor="middle")
        return below + text(y, css="tick", anchor="middle", transform=turned)


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled bar; `text` is written at its end."""

    label: str
    value: float
    text: str
    css: str = "bar"


def bars(
    entries: Sequence[Bar], label: str, *, marks: Sequence[float] = (), label_width: float = _LABEL_WIDTH
) -> Markup:
    """Draw a row for each bar, with dashed lines at `marks`."""
    top = max(*(entry.value for entry in entries), *(1.25 * mark for mark in marks), 1e-12)
    scale = Scale(0.0, top, label_width, _ROWS_WIDTH - _VALUE_WIDTH)
    parts = [_rule(scale(mark), len(entries)) for mark in marks]
    for row, entry in enumerate(entries):
        y, length = row * ROW_HEIGHT, max(1.0, scale(entry.value) - label_width)
        parts += [
            row_label(entry.label, y, label_width),
            rectangle(label_width, y + 7, length, _BAR_HEIGHT, f"mark {entry.css}", rx=3),
            text(entry.text, label_width + length + 8, y + 20, css="share"),
        ]
    return drawing(parts, _ROWS_WIDTH, len(entries) * ROW_HEIGHT, label)


@dataclass(frozen=True, slots=True)
class Interval:
    """A labelled value with its interval; `text` is written at the end of the row."""

    label: str
    value: float
    low: float
    high: float
    text: str


def intervals(entries: Sequence[Interval], mark: float, label: str) -> Markup:
    """Draw a row for each value with its interval, and a dashed line at `mark`."""
    ends = [mark, *(end for entry in entries for end in (entry.low, entry.high, entry.value))]
    scale = Scale(min(ends), max(ends), _LABEL_WIDTH + 6, _ROWS_WIDTH - _VALUE_WIDTH)
    parts = [_rule(scale(mark), len(entries))]
    for row, entry in enumerate(entries):
        y = row * ROW_HEIGHT
        parts += [
            row_label(entry.label, y),
            line(scale(entry.low), y + 15, scale(entry.high), y + 15, "interval"),
            circle(scale(entry.value), y + 15, 5, "dot"),
            text(entry.text, _ROWS_WIDTH, y + 20, css="share", anchor="end"),
        ]
    return drawing(parts, _ROWS_WIDTH, len(entries) * ROW_HEIGHT, label)


def row_label(label: str, y: float, width: float = _LABEL_WIDTH) -> Markup:
    """Return the label of a row, which ends left of its bar; one too long for `width` is cut."""
    return text(label, width - 10, y + 20, anchor="end", max_characters=int(width / _CHARACTER_WIDTH))


def small_bar(share: float) -> Markup:
    """Return a bar of the width of its cell, filled to a share (0..1); the cell says the number."""
    marks = [rectangle(0, 0, 200, 8, "track"), rectangle(0, 0, 200 * share, 8, "bar")]
    return _small(marks, preserveAspectRatio="none")


def small_interval(low: float, middle: float, high: float, limit: float) -> Markup:
    """Return an interval against 0, which is in the middle; `limit` is the value at both edges."""
    scale = Scale(-limit, limit, 10, 190)
    marks = [
        line(100, 0, 100, 16, "dashed"),
        line(scale(low), 8, scale(high), 8, "interval"),
        circle(scale(middle), 8, 5, "dot"),
    ]
    return _small(marks, height=16)


def _small(marks: Iterable[Markup], height: int = 8, **attributes: object) -> Markup:
    box = f"0 0 200 {height}"
    return element("svg", join(marks), class_="figure inline", viewBox=box, aria_hidden="true", **attributes)


def _rule(x: float, rows: int) -> Markup:
    return line(x, 0, x, rows * ROW_HEIGHT, "dashed")


def _digits(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
