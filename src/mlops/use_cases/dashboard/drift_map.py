"""The drift of each feature on each of the last days, group by group, as cells of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from mlops.models.drift.report import DriftReport, DriftVerdict, FeatureDrift
from mlops.monitoring.verdict.verdict import SEVERITY
from mlops.use_cases.dashboard.sources import DashboardSources

DAYS = 14
MAX_FEATURES = 10
MAX_GROUPS = 6
# a feature with too few rows needs no more attention than one that is OK, and no less
_SEVERITY: Mapping[DriftVerdict, int] = {
    verdict: max(rank, SEVERITY.index("OK")) for rank, verdict in enumerate(SEVERITY)
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One feature on one day; `verdict` is empty where it was not checked, `text` the index of a change."""

    verdict: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class DriftMap:
    """One group: a row for each feature, those with the largest change first.

    `hidden` are the most serious verdicts of the features that are not shown; `predictions` is the row of
    what the model says.
    """

    group: str
    days: Sequence[date]
    verdicts: Sequence[Cell]
    predictions: Sequence[Cell]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    hidden: Sequence[DriftVerdict]


def read_maps(sources: DashboardSources) -> tuple[list[DriftMap], list[DriftVerdict]]:
    """Return the maps of the groups whose last verdict is the most serious, and the verdicts of the others.

    Of a group that is not shown only the state is read: 14 reports are up to some megabytes.
    """
    today = sources.now().date()
    days = [today - timedelta(days=offset) for offset in reversed(range(DAYS))]
    checked = [each for each in sources.for_each_group(partial(_last_verdict, sources, days[0])) if each]
    ranked = sorted(checked, key=lambda each: (-_SEVERITY[each[1]], each[0]))
    shown = [group for group, _ in ranked[:MAX_GROUPS]]
    maps = sources.for_each(
        shown, lambda group: draw_map(group, sources.drift.newest_reports(group, DAYS), days)
    )
    return [each for each in maps if each], [verdict for _, verdict in ranked[MAX_GROUPS:]]


def _last_verdict(sources: DashboardSources, first: date, group: str) -> tuple[str, DriftVerdict] | None:
    """Return the group and the verdict of its last judged night; None when not checked since `first`."""
    state = sources.drift.state(group)
    if state is None or state.last_checked < first:
        return None
    return group, state.nights[-1].verdict if state.nights else "INSUFFICIENT_DATA"


def draw_map(group: str, reports: Mapping[date, DriftReport], days: Sequence[date]) -> DriftMap | None:
    """Return the map of a group; None when none of the days was checked."""
    shown = {day: reports[day] for day in days if day in reports}
    if not shown:
        return None
    names = {name for report in shown.values() for name in report.features}
    ranked = sorted(names, key=lambda name: (*_rank(name, shown.values()), name))
    rows = [(name, [_cell(name, day, shown.get(day)) for day in days]) for name in ranked[:MAX_FEATURES]]
    return DriftMap(
        group,
        days,
        [_verdict_cell(day, shown.get(day)) for day in days],
        [_prediction_cell(day, shown.get(day)) for day in days],
        rows,
        [_worst(_days_of(name, shown.values())) for name in ranked[MAX_FEATURES:]],
    )


def _days_of(name: str, reports: Iterable[DriftReport]) -> list[FeatureDrift]:
    return [report.features[name] for report in reports if name in report.features]


def _rank(name: str, reports: Iterable[DriftReport]) -> tuple[int, float]:
    """Return a key by which the feature with the largest change comes first."""
    features = _days_of(name, reports)
    return -_SEVERITY[_worst(features)], -max(each.psi for each in features)


def _worst(features: Iterable[FeatureDrift]) -> DriftVerdict:
    return max((each.verdict for each in features), key=_SEVERITY.__getitem__)


def _cell(name: str, day: date, report: DriftReport | None) -> Cell:
    feature = report.features.get(name) if report else None
    if feature is None:
        return Cell("", "", f"{day:%d %b}: not checked")
    text = _index(feature) if feature.has_drift else ""
    return Cell(
        feature.verdict, text, f"{name}, {day:%d %b}: {feature.verdict}, index (PSI) {_index(feature)}"
    )


def _verdict_cell(day: date, report: DriftReport | None) -> Cell:
    if report is None:
        return Cell("", "", f"{day:%d %b}: not checked")
    return Cell(report.verdict, "", f"{day:%d %b}: {report.verdict}, {report.n_rows:,} rows")


def _prediction_cell(day: date, report: DriftReport | None) -> Cell:
    """Return the verdict on what the model says, with the index of the output that changed most."""
    if report is None or report.prediction_verdict is None:
        return Cell("", "", f"{day:%d %b}: predictions not compared")
    output = max(report.predictions.values(), key=lambda each: (_SEVERITY[each.verdict], each.psi))
    text = _index(output) if output.has_drift else ""
    title = f"{output.name}, {day:%d %b}: {report.prediction_verdict}, index (PSI) {_index(output)}"
    return Cell(report.prediction_verdict, text, title)


def _index(feature: FeatureDrift) -> str:
    """Write the index of a feature, kept to 1: above, a larger one says no more."""
    return f"{feature.psi:.2f}" if feature.psi <= 1 else "> 1"
