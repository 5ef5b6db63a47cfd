"""The plots of a model card as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from mlops.models.evaluation import CalibrationBin, Point, SliceScore
from mlops.models.training import FeatureShift
from mlops.pages.number_format import number, percent

_SIZE = 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 10, 430, 300
_WIDE = 460
_LABEL_WIDTH = 165
_ROW_HEIGHT = 29
_MAX_LABEL = 21
_MATRIX_LABEL = 130
_MATRIX_CELL = 54
_MAX_CLASSES = 12
SHIFT_WARN = 0.1
SHIFT_ALERT = 0.2


def curves(points: Mapping[str, Sequence[Point]], *, x: str, y: str, name: str, has_chance: bool) -> str:
    """Draw curves in the unit square; `has_chance` adds the diagonal that guessing would give."""
    scale = _Scale(0.0, 1.0)
    body = scale.line([(0, 0), (1, 1)], "chance") if has_chance else ""
    body += "".join(scale.line(line, f"curve c{place}") for place, line in enumerate(points.values()))
    return _square(scale, body, x, y, name)


def calibration(bins: Sequence[CalibrationBin], *, is_regression: bool) -> str:
    """Draw what was predicted against what came true; points on the diagonal are predicted well."""
    ends = [value for entry in bins for value in (entry.predicted, entry.observed)]
    scale = _Scale(min(ends), max(ends)) if is_regression else _Scale(0.0, 1.0)
    points = [(entry.predicted, entry.observed) for entry in bins]
    body = scale.line([(scale.low, scale.low), (scale.high, scale.high)], "chance")
    body += scale.line(points, "curve c0")
    body += "".join(scale.dot(point, "dot", 4.5) for point in points)
    return _square(scale, body, "predicted", "came true", "Calibration")


def scatter(sample: Sequence[Point]) -> str:
    """Draw true against predicted numbers of some rows; outliers lie at the edge."""
    ordered = sorted(value for point in sample for value in point)
    scale = _Scale(ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 50])
    body = scale.line([(scale.low, scale.low), (scale.high, scale.high)], "chance")
    body += "".join(scale.dot(point, "cloud", 3.0) for point in sample)
    return _square(scale, body, "predicted", "true", "True against predicted values")


def residuals(sample: Sequence[Point]) -> str:
    """Draw by how much each of some rows is missed; points above the line are truly higher than predicted."""
    points = [(predicted, true - predicted) for predicted, true in sample]
    ends = sorted(point[0] for point in points)
    missed = sorted(abs(point[1]) for point in points)
    reach = missed[-1 - len(missed) // 50] or 1.0
    scale = _Scale(ends[len(ends) // 100], ends[-1 - len(ends) // 100], up=(-reach, reach))
    body = scale.line([(scale.low, 0.0), (scale.high, 0.0)], "chance")
    body += "".join(scale.dot(point, "cloud", 3.0) for point in points)
    return _square(scale, body, "predicted", "true minus predicted", "Residuals")


def shifts(found: Sequence[FeatureShift]) -> str:
    """Draw how far columns moved since the last training file, with lines where a change is worth a look."""
    room = _WIDE - _LABEL_WIDTH - 70
    top = max(*(entry.psi for entry in found), SHIFT_ALERT * 1.25)
    height, body = len(found) * _ROW_HEIGHT, ""
    for mark in (SHIFT_WARN, SHIFT_ALERT):
        x = _LABEL_WIDTH + mark / top * room
        body += f'<line class="overall" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
    for row, entry in enumerate(found):
        length = max(1.0, entry.psi / top * room)
        css = "alerted" if entry.psi >= SHIFT_ALERT else "warned" if entry.psi >= SHIFT_WARN else "bar"
        body += _row_label(entry.column, row)
        body += f'<rect class="{css}" x="{_LABEL_WIDTH}" y="{row * _ROW_HEIGHT + 7}" rx="3" '
        body += f'width="{length:.1f}" height="16"/>'
        body += f'<text class="share" x="{_LABEL_WIDTH + length + 8:.1f}" y="{row * _ROW_HEIGHT + 20}">'
        body += f"{entry.psi:.2f}</text>"
    return _wide(body, height, "Drift of the training file against the last one")


def confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Draw a confusion matrix; the shade is the share of the row's true class."""
    if len(labels) > _MAX_CLASSES:
        return ""
    size, cell = len(labels), _MATRIX_CELL * (2 if len(labels) < 4 else 1)
    top, parts = (40 if size < 4 else 120), []
    for column, label in enumerate(labels):
        x = _MATRIX_LABEL + (column + 0.5) * cell
        place = f'x="{x:.0f}" y="{top - 10}" text-anchor="middle"'
        turned = f'transform="translate({x + 4:.0f},{top - 10}) rotate(-60)"'
        parts.append(f"<text {place if size < 4 else turned}>{_short(label, 16)}</text>")
    for row, counts in enumerate(matrix):
        y, total = top + row * cell, max(1, sum(counts))
        parts.append(
            f'<text x="{_MATRIX_LABEL - 10}" y="{y + cell / 2 + 5:.0f}" text-anchor="end">'
            f"{_short(labels[row], 17)}</text>"
        )
        for column, count in enumerate(counts):
            share = count / total
            parts.append(_cell(_MATRIX_LABEL + column * cell, y, cell, count, share, is_hit=row == column))
    extent = f"0 0 {_MATRIX_LABEL + size * cell + 30} {top + size * cell + 2}"
    shape = f'class="matrix" viewBox="{extent}" role="img" aria-label="Confusion matrix"'
    return f"<svg {shape}>{''.join(parts)}</svg>"


def _cell(x: float, y: float, size: int, count: int, share: float, *, is_hit: bool) -> str:
    strong = " strong" if share > 0.55 else ""
    middle = x + size / 2
    below = (
        f'<text class="share{strong}" x="{middle}" y="{y + size / 2 + 20}" text-anchor="middle">'
        f"{escape(percent(share))}</text>"
        if size > _MATRIX_CELL
        else ""
    )
    return (
        f'<rect class="{"hit" if is_hit else "miss"}" x="{x + 1}" y="{y + 1}" width="{size - 2}" '
        f'height="{size - 2}" rx="5" style="fill-opacity:{0.09 + 0.81 * share if count else 0.03:.2f}"/>'
        f'<text class="count{strong if count else " none"}" x="{middle}" '
        f'y="{y + size / 2 + (2 if below else 5)}" '
        f'text-anchor="middle">{count:,}</text>{below}'
    )


def bars(values: Mapping[str, float], *, name: str) -> str:
    """Draw a bar per entry, in their order."""
    top, room = max(*values.values(), 1e-12), _WIDE - _LABEL_WIDTH - 70
    body = "".join(
        f"{_row_label(label, place)}"
        f'<rect class="bar" x="{_LABEL_WIDTH}" y="{place * _ROW_HEIGHT + 7}" rx="3" '
        f'width="{max(1.0, value / top * room):.1f}" height="16"/>'
        f'<text class="share" x="{_LABEL_WIDTH + max(1.0, value / top * room) + 8:.1f}" '
        f'y="{place * _ROW_HEIGHT + 20}">{escape(number(value))}</text>'
        for place, (label, value) in enumerate(values.items())
    )
    return _wide(body, len(values) * _ROW_HEIGHT, name)


def slices(found: Sequence[SliceScore], overall: float) -> str:
    """Draw each slice's score with its interval, and a line where all rows together are."""
    ends = [overall, *(end for entry in found for end in (*entry.interval, entry.score))]
    low, high = min(ends), max(ends)
    room, spread = _WIDE - _LABEL_WIDTH - 62, max(high - low, 1e-12)

    def place(value: float) -> float:
        return _LABEL_WIDTH + 6 + (value - low) / spread * room

    height = len(found) * _ROW_HEIGHT
    body = f'<line class="overall" x1="{place(overall):.1f}" x2="{place(overall):.1f}" y1="0" y2="{height}"/>'
    for row, entry in enumerate(found):
        y, (left, right) = row * _ROW_HEIGHT + 15, map(place, entry.interval)
        body += _row_label(f"{entry.column}: {entry.value}", row)
        body += f'<line class="interval" x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"/>'
        body += f'<circle class="dot" cx="{place(entry.score):.1f}" cy="{y}" r="5"/>'
        body += f'<text class="share" x="{_WIDE}" y="{y + 5}" text-anchor="end">{entry.score:.3f}</text>'
    return _wide(body, height, "Scores of the worst slices")


class _Scale:
    """Both axes of a square plot; `up` are the ends of the upward one where they differ."""

    def __init__(self, low: float, high: float, *, up: tuple[float, float] | None = None) -> None:
        self.low, self.high = low, high if high > low else low + 1.0
        self.bottom, self.top = up or (self.low, self.high)

    def at(self, point: Point) -> tuple[float, float]:
        across = min(1.0, max(0.0, (point[0] - self.low) / (self.high - self.low)))
        up = min(1.0, max(0.0, (point[1] - self.bottom) / (self.top - self.bottom)))
        return _LEFT + across * (_RIGHT - _LEFT), _BOTTOM - up * (_BOTTOM - _TOP)

    def line(self, points: Sequence[Point], css: str) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        return f'<polyline class="{css}" points="{path}"/>'

    def dot(self, point: Point, css: str, radius: float) -> str:
        x, y = self.at(point)
        return f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _square(scale: _Scale, body: str, x_label: str, y_label: str, name: str) -> str:
    frame = ""
    for share in (0.0, 0.5, 1.0):
        across = scale.low + share * (scale.high - scale.low)
        up = scale.bottom + share * (scale.top - scale.bottom)
        x, y = scale.at((across, up))
        anchor = "end" if share == 1.0 else "middle"
        frame += f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        frame += f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_BOTTOM}"/>'
        place = f'class="tick" x="{x:.1f}" y="{_BOTTOM + 19}" text-anchor="{anchor}"'
        frame += f"<text {place}>{escape(number(across))}</text>"
        place = f'class="tick" x="{_LEFT - 7}" y="{y + 5:.1f}" text-anchor="end"'
        frame += f"<text {place}>{escape(number(up))}</text>"
    below = f'x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 40}"'
    beside = f'transform="translate(14,{(_TOP + _BOTTOM) / 2}) rotate(-90)"'
    for place, label in ((below, x_label), (beside, y_label)):
        frame += f'<text class="tick" {place} text-anchor="middle">{escape(label)}</text>'
    extent = f"0 0 {_SIZE} {_BOTTOM + 48}"
    return f'<svg viewBox="{extent}" role="img" aria-label="{escape(name, quote=True)}">{frame}{body}</svg>'


def _wide(body: str, height: int, name: str) -> str:
    label = escape(name, quote=True)
    return f'<svg viewBox="0 0 {_WIDE} {height}" role="img" aria-label="{label}">{body}</svg>'


def _row_label(label: str, row: int) -> str:
    y = row * _ROW_HEIGHT + 20
    return f'<text x="{_LABEL_WIDTH - 10}" y="{y}" text-anchor="end">{_short(label, _MAX_LABEL)}</text>'


def _short(label: str, most: int) -> str:
    text = label if len(label) <= most else f"{label[: most - 1]}…"
    return f"<title>{escape(label)}</title>{escape(text)}"
