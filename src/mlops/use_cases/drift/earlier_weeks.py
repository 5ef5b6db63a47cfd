"""The profiles of earlier weeks that a night is compared with, where the settings of its group say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import batched, islice

from mlops.infrastructure.object_store import in_parallel
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
    weeks = [
        [day - timedelta(weeks=n_before) for day in days]
        for n_before in (WEEKS_BEFORE[setting] if len(days) <= MAX_WINDOW_DAYS else ())
    ]
    reached = [week for week in weeks if week[-1] >= champion.created_at.date()]
    profiles: list[BatchProfile] = []
    n_weeks = n_alerting = 0
    for batches, state in _read_weeks(archive, champion, reached):
        n_alerting += state == "alerting"
        if state == "usual":
            n_weeks += 1
            profiles += batches
        if n_weeks == MAX_REFERENCE_WEEKS:
            break
    n_rows = sum(profile.n_rows for profile in profiles)
    is_used = n_weeks >= MIN_REFERENCE_WEEKS and n_rows >= MIN_REFERENCE_ROWS
    return Reference(setting, is_used, n_weeks, n_rows, n_alerting), profiles


def _read_weeks(
    archive: NightlyArchive, champion: ModelMetadata, weeks: Sequence[Sequence[date]]
) -> Iterator[tuple[list[BatchProfile], WeekState | None]]:
    """Yield the batches of each week and what its nights say of them; None without rows or a verdict.

    The days of as many weeks as a reference has are read side by side, so that none is read in vain as long
    as all of them can be used.
    """
    for some in batched(weeks, MAX_REFERENCE_WEEKS):
        days = in_parallel(partial(_read_day, archive, champion), (day for week in some for day in week))
        for week in some:
            read = list(islice(days, len(week)))
            yield [batch for batches, _ in read for batch in batches], _state([s for b, s in read if b])


def _read_day(
    archive: NightlyArchive, champion: ModelMetadata, day: date
) -> tuple[list[BatchProfile], WeekState | None]:
    """Return the batches of a day, and what its night says of them; None without a verdict on them."""
    group, version = champion.model_group, champion.version
    batches = archive.batches(group, version, [day])
    report = archive.find_report(group, day + timedelta(days=1)) if batches else None
    is_judged = report is not None and report.model_version == version
    return batches, state_of(report) if report and is_judged else None


def _state(states: Sequence[WeekState | None]) -> WeekState | None:
    """Return the state of a week from those of its days with rows: the first of these that one has."""
    for state in ("alerting", "faulty", None):
        if state in states:
            return state
    return "usual" if states else None
