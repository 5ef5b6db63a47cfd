"""The report of realised quality as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mlops.models.evaluation import CalibrationBin
from mlops.models.metrics import metric_difference, metric_name, metric_shown, metric_value
from mlops.models.scoring.quality import (
    QualityEstimate,
    QualityPart,
    QualityReport,
    QualityVerdict,
    last_day_of,
)
from mlops.monitoring.quality.estimate import ASSUMPTIONS
from mlops.monitoring.quality.report_text import (
    facts_line,
    headline,
    label_sentences,
    reason_without_verdict,
    sentence,
    unjudged_periods,
)
from mlops.monitoring.quality.verdict import RULE
from mlops.pages import svg
from mlops.pages.number_format import counted, number
from mlops.pages.rendering import render as render_page

BADGES: dict[QualityVerdict | None, str] = {
    "OK": "as approved",
    "DROPPED": "below approved",
    "INSUFFICIENT_DATA": "not judged",
    None: "shown only",
}
_MAX_DRAWN = 30
_SIZE, _LEFT, _TOP, _BOTTOM = 440, 64, 10, 300


def render(report: QualityReport) -> str:
    """Return the page: the verdict, the periods against the approved score, then all parts."""
    return render_page(
        "quality",
        report=report,
        headline=headline(report),
        facts_line=facts_line(report),
        reasons=" ".join(sentence(part, report) for part in _explained(report)),
        tiles=_tiles(report),
        badges=BADGES,
        label_sentences=label_sentences(report),
        periods=_periods(report),
        calibration=_calibration(report.calibration) if report.calibration else None,
        sections=_sections(report),
        estimates=_estimates(report),
        assumption=ASSUMPTIONS[report.task],
        scores=_judged_first(report.overall.scores, report.metric),
        estimated_scores=_judged_first(report.estimates[0].scores, report.metric) if report.estimates else (),
        rule=RULE.format(min_labels=report.min_labels),
    )


def _judged_first(scorers: Iterable[str], judged: str) -> tuple[str, ...]:
    """Return the scorers, the judged one at the left of the table: narrow windows do not show all."""
    return tuple(sorted(scorers, key=lambda scorer: scorer != judged))


def _explained(report: QualityReport) -> Sequence[QualityPart]:
    """Return the parts that dropped, else those that should have a verdict and have none."""
    if report.dropped:
        return report.dropped
    overall = [report.overall] if reason_without_verdict(report.overall, report) else []
    return [*overall, *unjudged_periods(report)]


def _tiles(report: QualityReport) -> list[tuple[str, str, str]]:
    overall = report.overall
    score = overall.scores.get(report.metric)
    value = "-" if score is None else metric_value(report.metric, score.value)
    approved = (
        "" if overall.approved is None else f"{metric_value(report.metric, overall.approved.value)} approved"
    )
    tiles = [
        (metric_name(report.metric), value, approved),
        ("Labels", f"{overall.n_labels:,}", f"of {counted(overall.n_predictions, 'prediction')}"),
    ]
    if overall.calibration_error is not None:
        tiles.append(("Calibration error", number(overall.calibration_error), "0 = comes true as predicted"))
    if newest := report.newest_estimate:
        value = metric_value(newest.metric, newest.score.value)
        tiles.append((f"Estimated {metric_name(newest.metric)}", value, f"without labels, {newest.name}"))
    return tiles


def _estimates(report: QualityReport) -> list[tuple[QualityEstimate, str]]:
    """Return the estimates, the newest first, each with its difference from what was realised."""
    return [
        (each, "–" if each.error is None else metric_difference(each.metric, each.error))
        for each in reversed(report.estimates)
    ]


def _periods(report: QualityReport) -> Markup | None:
    """Draw the judged score of each period with its interval, and the approved score as a dashed line."""
    metric = report.metric
    entries = []
    for part in report.periods[-_MAX_DRAWN:]:
        score = part.scores.get(metric)
        if score is not None and score.interval is not None:
            low, high = sorted(metric_shown(metric, end) for end in score.interval)
            value = metric_shown(metric, score.value)
            last_day = last_day_of(part.name)
            entries.append(svg.Interval(last_day, value, low, high, metric_value(metric, score.value)))
    if report.overall.approved is None or not entries:
        return None
    mark = metric_shown(metric, report.overall.approved.value)
    return svg.intervals(
        entries, mark, f"{metric_name(metric)} by period; the dashed line is the approved score"
    )


def _calibration(bins: Sequence[CalibrationBin]) -> Markup:
    unit = svg.Scale(0.0, 1.0, _LEFT, _SIZE - 10), svg.Scale(0.0, 1.0, _BOTTOM, _TOP)
    frame, ticks = svg.Frame(*unit), [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]
    points = [(entry.predicted, entry.observed) for entry in bins]
    marks = [
        frame.y_axis(ticks),
        frame.x_axis(ticks),
        frame.titles("predicted", "came true"),
        frame.curve([(0, 0), (1, 1)], "dashed"),
        frame.curve(points, "curve"),
        frame.dots(points, "dot", 4.5),
    ]
    return svg.drawing(marks, _SIZE, _BOTTOM + 50, "Calibration of the judged predictions")


def _sections(report: QualityReport) -> list[tuple[str, str, Sequence[QualityPart]]]:
    """Return the tables: title, what they say, rows; empty ones are left out."""
    young = () if report.young is None else (report.young,)
    sections: list[tuple[str, str, Sequence[QualityPart]]] = [
        (
            "Periods",
            "Days with few labels are put together; the newest is first.",
            (*young, *reversed(report.periods)),
        ),
        (
            "Newest periods together",
            "The newest 2, 4, 8, ... periods: a drop is found as soon as its size allows.",
            report.recent,
        ),
        ("Segments", "Against the score of the same slice of the held-out rows.", report.segments),
        ("Delay of the labels", "Outcomes that are known early may differ from the rest.", report.delays),
        ("Other versions", "Against the approved score of each.", report.versions),
    ]
    return [section for section in sections if section[2]]
