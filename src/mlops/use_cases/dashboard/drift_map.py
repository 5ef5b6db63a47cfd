"""The drift of each feature on each of the last days, group by group, as cells of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mlops.models.drift import DriftReport, DriftVerdict, FeatureDrift
from mlops.use_cases.dashboard.sources import DashboardSources

DAYS = 14
MAX_FEATURES = 10
MAX_GROUPS = 6
_SEVERITY: Mapping[DriftVerdict, int] = {"INSUFFICIENT_DATA": 0, "OK": 0, "WARN": 1, "ALERT": 2}


@dataclass(frozen=True, slots=True)
class Cell:
    """One feature on one day; `verdict` is empty where it was not checked, `text` the index of a change."""

    verdict: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class DriftMap:
    """One group: a row for each feature, those with the largest change first, and how many are not shown."""

    group: str
    days: Sequence[date]
    verdicts: Sequence[Cell]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    n_hidden: int
    severity: int


def read_maps(sources: DashboardSources) -> tuple[list[DriftMap], int]:
    """Return the maps of the groups with the largest changes, and the number of the other groups."""
    today = sources.now().date()
    days = [today - timedelta(days=offset) for offset in reversed(range(DAYS))]
    read = sources.for_each_group(
        lambda group: draw_map(group, sources.drift.newest_reports(group, DAYS), days)
    )
    maps = sorted((each for each in read if each), key=lambda each: (-each.severity, each.group))
    return maps[:MAX_GROUPS], max(0, len(maps) - MAX_GROUPS)


def draw_map(group: str, reports: Mapping[date, DriftReport], days: Sequence[date]) -> DriftMap | None:
    """Return the map of a group; None when none of the days was checked."""
    shown = {day: reports[day] for day in days if day in reports}
    if not shown:
        return None
    names = {name for report in shown.values() for name in report.features}
    ranked = sorted(names, key=lambda name: (*_rank(name, list(shown.values())), name))
    rows = [(name, [_cell(name, day, shown.get(day)) for day in days]) for name in ranked[:MAX_FEATURES]]
    verdicts = [_verdict_cell(day, shown.get(day)) for day in days]
    severity = _SEVERITY[list(shown.values())[-1].verdict]
    return DriftMap(group, days, verdicts, rows, len(names) - len(rows), severity)


def _rank(name: str, reports: Sequence[DriftReport]) -> tuple[int, float]:
    """Return a key by which the feature with the largest change comes first."""
    features = [report.features[name] for report in reports if name in report.features]
    return -max(_SEVERITY[each.verdict] for each in features), -max(each.psi for each in features)


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


def _index(feature: FeatureDrift) -> str:
    """Write the index of a feature, kept to 1: above, a larger one says no more."""
    return f"{feature.psi:.2f}" if feature.psi <= 1 else "> 1"
