"""Realised quality of each group over time, its estimate, and the approved score, as charts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from mlops.models.metrics import metric_definition, metric_shown, metric_value
from mlops.models.scoring.quality import QualityReport, QualityScore, last_day_of
from mlops.monitoring.quality.report import BADGES
from mlops.pages import svg
from mlops.pages.number_format import number
from mlops.use_cases.dashboard.sources import DashboardSources

MAX_GROUPS = 6
_MAX_PERIODS = 30
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 460, 58, 14, 12, 170, 196


@dataclass(frozen=True, slots=True)
class QualityTrend:
    """The chart of one group."""

    group: str
    version: str
    verdict: str
    badge: str
    metric: str
    chart: Markup


def read_trends(sources: DashboardSources) -> tuple[list[QualityTrend], list[str]]:
    """Return the trends, dropped ones first, and the verdicts in words of the groups that are left out."""
    reports = [report for report in sources.for_each_group(sources.quality.last_report) if report]
    drawn = [(report, draw_trend(report)) for report in reports]
    trends = [
        QualityTrend(
            report.model_group,
            report.model_version,
            report.verdict,
            BADGES[report.verdict],
            metric_definition(report.metric).label,
            chart,
        )
        for report, chart in drawn
        if chart
    ]
    ordered = sorted(trends, key=lambda trend: (trend.verdict != "DROPPED", trend.group))
    return ordered[:MAX_GROUPS], [trend.badge for trend in ordered[MAX_GROUPS:]]


def draw_trend(report: QualityReport) -> Markup | None:
    """Draw the judged score of each period with its interval, the estimates and the approved score."""
    realised = {
        part.name: part.scores[report.metric] for part in report.periods if report.metric in part.scores
    }
    estimated = {entry.name: entry.score for entry in report.estimates if entry.metric == report.metric}
    names = sorted({*realised, *estimated}, key=last_day_of)[-_MAX_PERIODS:]
    if not names:
        return None
    approved = report.overall.approved
    ticks = _ticks(report, [*realised.values(), *estimated.values(), *([approved] if approved else [])])
    x = svg.Scale(-0.5, len(names) - 0.5, _LEFT, _WIDTH - _RIGHT)
    frame = svg.Frame(x, svg.Scale(ticks[0], ticks[-1], _BOTTOM, _TOP))
    marks = [frame.y_axis((tick, number(tick, digits=6)) for tick in ticks) + _x_axis(frame, names)]
    if approved:
        y = frame.y(metric_shown(report.metric, approved.value))
        marks.append(svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "dashed"))
    marks += [_series(report, frame, names, estimated, "c1"), _series(report, frame, names, realised, "c0")]
    title = f"{metric_definition(report.metric).label} of {report.model_group} by period"
    return svg.drawing(marks, _WIDTH, _HEIGHT, title)


def _ticks(report: QualityReport, scores: list[QualityScore]) -> list[float]:
    """Return round numbers that enclose every score with its interval."""
    ends = [
        metric_shown(report.metric, end) for score in scores for end in (score.value, *(score.interval or ()))
    ]
    step = svg.nice_step(max(ends) - min(ends))
    first, last = math.floor(min(ends) / step), math.ceil(max(ends) / step)
    return [step * n for n in range(first, max(last, first + 1) + 1)]


def _x_axis(frame: svg.Frame, names: list[str]) -> Markup:
    places = dict.fromkeys((0, (len(names) - 1) // 2, len(names) - 1))
    return frame.x_axis(
        (float(place), f"{date.fromisoformat(last_day_of(names[place])[-10:]):%d %b}") for place in places
    )


def _series(
    report: QualityReport, frame: svg.Frame, names: list[str], scores: dict[str, QualityScore], css: str
) -> Markup:
    """Draw a line through the scores, each with its interval."""
    shown = [(float(names.index(name)), name, score) for name, score in scores.items() if name in names]
    points = [(at, metric_shown(report.metric, score.value)) for at, _, score in shown]
    marks = [frame.curve(points, f"curve {css}")]
    for at, name, score in shown:
        x = frame.x(at)
        if score.interval:
            low, high = (frame.y(metric_shown(report.metric, end)) for end in score.interval)
            marks.append(svg.line(x, low, x, high, f"whisker {css}"))
        text = svg.element("title", f"{name}: {metric_value(report.metric, score.value)}")
        marks.append(
            svg.circle(x, frame.y(metric_shown(report.metric, score.value)), 3.5, f"dot {css}", text)
        )
    return svg.join(marks)
