"""The plot of a feature, then and now."""

from __future__ import annotations

from markupsafe import Markup

from mlops.models.drift.report import FeatureDrift, Histogram
from mlops.pages import svg
from mlops.pages.number_format import number, percent

_WIDTH, _PLOT_HEIGHT = 520, 150
_ROW_HEIGHT, _LABEL_WIDTH, _VALUE_WIDTH = 34, 150, 62


def plot(feature: FeatureDrift) -> Markup:
    """Return the plot of one feature; empty when there is nothing to draw."""
    histogram = feature.histogram
    if histogram is None:
        return Markup("")
    marks, height = _columns(histogram) if histogram.edges else _rows(histogram, feature)
    label = f"{feature.name}: share of rows per value, before and now"
    return svg.drawing(marks, _WIDTH, height, label)


def _columns(histogram: Histogram) -> tuple[list[Markup], int]:
    """Draw a numeric feature: filled columns for training, an outlined area for now."""
    y = svg.Scale(0.0, max(*histogram.reference, *histogram.current, 1e-9), _PLOT_HEIGHT, 6)
    x = svg.Scale(0.0, len(histogram.reference), 0, _WIDTH)
    marks = [
        svg.rectangle(x(at) + 1, y(share), x(1) - 2, _PLOT_HEIGHT - y(share), "reference")
        for at, share in enumerate(histogram.reference)
        if share
    ]
    steps = "".join(
        f"L{x(at):.1f},{y(share):.1f} L{x(at + 1):.1f},{y(share):.1f} "
        for at, share in enumerate(histogram.current)
    )
    path = f"M0,{_PLOT_HEIGHT} {steps}L{_WIDTH},{_PLOT_HEIGHT} Z"
    marks += [
        svg.element("path", class_="outline", d=path),
        svg.line(0, _PLOT_HEIGHT, _WIDTH, _PLOT_HEIGHT, "axis"),
    ]
    low, high = histogram.edges[0], histogram.edges[-1]
    frame = svg.Frame(svg.Scale(low, high, 0, _WIDTH), svg.Scale(0, 1, _PLOT_HEIGHT, 0))
    marks.append(frame.x_axis((value, number(value)) for value in (low, (low + high) / 2, high)))
    return marks, _PLOT_HEIGHT + 24


def _rows(histogram: Histogram, feature: FeatureDrift) -> tuple[list[Markup], int]:
    """Draw a feature with single values: two bars a value, training above, now below."""
    bars = list(zip(histogram.labels, histogram.reference, histogram.current, strict=True))
    bars.append(("missing", feature.missing_share_reference, feature.missing_share_current))
    drawn = [bar for index, bar in enumerate(bars) if bar[1] or bar[2] or index < len(bars) - 2]
    top = max(1e-9, *(share for _, *shares in bars for share in shares))
    length = svg.Scale(0.0, top, 0, _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH)
    marks = []
    for index, (label, before, now) in enumerate(drawn):
        y = index * _ROW_HEIGHT + 4
        marks += [
            svg.row_label(label, y - 3, _LABEL_WIDTH),
            svg.rectangle(_LABEL_WIDTH, y, length(before), 11, "reference"),
            svg.rectangle(_LABEL_WIDTH, y + 13, length(now), 11, "bar"),
            svg.text(percent(before), _WIDTH, y + 10, css="share", anchor="end"),
            svg.text(percent(now), _WIDTH, y + 24, css="share now", anchor="end"),
        ]
    return marks, len(drawn) * _ROW_HEIGHT + 2
