"""Plots of a feature, then and now, as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

from html import escape

from mlops.models.drift import FeatureDrift, Histogram
from mlops.pages.number_format import number, percent

_WIDTH = 520
_PLOT_HEIGHT = 150
_ROW_HEIGHT = 34
_LABEL_WIDTH = 150
_VALUE_WIDTH = 62
_MAX_LABEL = 20


def plot(feature: FeatureDrift) -> str:
    """Return the plot of one feature; empty when there is nothing to draw."""
    histogram = feature.histogram
    if histogram is None:
        return ""
    body, height = _columns(histogram) if histogram.edges else _rows(histogram, feature)
    label = escape(f"{feature.name}: share of rows per value, at training and now", quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{body}</svg>'


def _columns(histogram: Histogram) -> tuple[str, int]:
    """Draw a numeric feature: filled columns for training, an outlined area for now."""
    top = max(*histogram.reference, *histogram.current, 1e-9)
    width = _WIDTH / len(histogram.reference)
    columns = "".join(
        f'<rect class="reference" x="{index * width + 1:.1f}" y="{_y(share, top):.1f}" '
        f'width="{width - 2:.1f}" height="{_PLOT_HEIGHT - _y(share, top):.1f}"/>'
        for index, share in enumerate(histogram.reference)
        if share
    )
    steps = "".join(
        f"L{index * width:.1f},{_y(share, top):.1f} L{(index + 1) * width:.1f},{_y(share, top):.1f} "
        for index, share in enumerate(histogram.current)
    )
    outline = f'<path class="current" d="M0,{_PLOT_HEIGHT} {steps}L{_WIDTH},{_PLOT_HEIGHT} Z"/>'
    axis = f'<line class="axis" x1="0" y1="{_PLOT_HEIGHT}" x2="{_WIDTH}" y2="{_PLOT_HEIGHT}"/>'
    low, high = histogram.edges[0], histogram.edges[-1]
    ticks = [(0, "start", low), (_WIDTH / 2, "middle", (low + high) / 2), (_WIDTH, "end", high)]
    labels = "".join(
        f'<text x="{x:.0f}" y="{_PLOT_HEIGHT + 18}" text-anchor="{anchor}">{escape(number(value))}</text>'
        for x, anchor, value in ticks
    )
    return columns + outline + axis + labels, _PLOT_HEIGHT + 24


def _y(share: float, top: float) -> float:
    return _PLOT_HEIGHT - share / top * (_PLOT_HEIGHT - 6)


def _rows(histogram: Histogram, feature: FeatureDrift) -> tuple[str, int]:
    """Draw a feature with single values: two bars a value, training above, now below."""
    bars = list(zip(histogram.labels, histogram.reference, histogram.current, strict=True))
    bars.append(("missing", feature.missing_share_reference, feature.missing_share_current))
    top = max(*histogram.reference, *histogram.current, bars[-1][1], bars[-1][2], 1e-9)
    drawn = [bar for index, bar in enumerate(bars) if bar[1] or bar[2] or index < len(bars) - 2]
    body = "".join(_row(index, label, before, now, top) for index, (label, before, now) in enumerate(drawn))
    return body, len(drawn) * _ROW_HEIGHT + 2


def _row(index: int, label: str, before: float, now: float, top: float) -> str:
    y = index * _ROW_HEIGHT + 4
    room = (_WIDTH - _LABEL_WIDTH - _VALUE_WIDTH) / top
    text = label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"
    return (
        f'<text x="{_LABEL_WIDTH - 10}" y="{y + 17}" text-anchor="end">'
        f"<title>{escape(label)}</title>{escape(text)}</text>"
        f'<rect class="reference" x="{_LABEL_WIDTH}" y="{y}" width="{before * room:.1f}" height="11"/>'
        f'<rect class="current solid" x="{_LABEL_WIDTH}" y="{y + 13}" width="{now * room:.1f}" height="11"/>'
        f'<text class="share" x="{_WIDTH}" y="{y + 10}" text-anchor="end">{escape(percent(before))}</text>'
        f'<text class="share now" x="{_WIDTH}" y="{y + 24}" text-anchor="end">{escape(percent(now))}</text>'
    )
