"""The profiles of earlier weeks that a night is compared with, where the settings of its group say so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from mlops.models.drift.profiles import BatchProfile
from mlops.models.drift.report import Reference
from mlops.models.registry import ModelMetadata
from mlops.monitoring.verdict.reference import (
    MAX_REFERENCE_WEEKS,
    MAX_WINDOW_DAYS,
    MIN_REFERENCE_ROWS,
    MIN_REFERENCE_WEEKS,
    WEEKS_BEFORE,
    WeekState,
    state_of,
)
from mlops.use_cases.drift.drift_archive import NightlyArchive


def read_earlier_weeks(
    archive: NightlyArchive, champion: ModelMetadata, days: Sequence[date]
) -> tuple[Reference, list[BatchProfile]]:
    """Return the reference of a window of days, and the profiles of its weeks.

    The days of each week are those of the window, some weeks earlier, so that they have the same weekdays. A
    week with a night that was not judged, had a fault or alerted is left out, and an older one is taken.
    """
    setting = champion.settings.drift.reference
    profiles: list[BatchProfile] = []
    n_weeks = n_alerting = 0
    for n_before in WEEKS_BEFORE[setting] if len(days) <= MAX_WINDOW_DAYS else ():
        week = [day - timedelta(weeks=n_before) for day in days]
        if n_weeks == MAX_REFERENCE_WEEKS or week[-1] < champion.created_at.date():
            break
        batches, state = _read_week(archive, champion, week)
        n_alerting += state == "alerting"
        if state == "usual":
            n_weeks += 1
            profiles += batches
    n_rows = sum(profile.n_rows for profile in profiles)
    is_used = n_weeks >= MIN_REFERENCE_WEEKS and n_rows >= MIN_REFERENCE_ROWS
    return Reference(setting, is_used, n_weeks, n_rows, n_alerting), profiles


def _read_week(
    archive: NightlyArchive, champion: ModelMetadata, week: Sequence[date]
) -> tuple[list[BatchProfile], WeekState | None]:
    """Return the batches of the days and what their nights say of them; None without rows or a verdict."""
    group, version = champion.model_group, champion.version
    batches: list[BatchProfile] = []
    states: set[WeekState | None] = set()
    for day in week:
        of_day = archive.batches(group, version, [day])
        if of_day:
            batches += of_day
            report = archive.find_report(group, day + timedelta(days=1))
            is_judged = report is not None and report.model_version == version
            states.add(state_of(report) if report and is_judged else None)
    for state in ("alerting", "faulty", None):
        if state in states:
            return batches, state
    return batches, "usual" if states else None
