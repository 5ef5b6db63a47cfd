"""The rule about files that stop arriving and unusual numbers of rows, with simulated calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from mlops.models.drift.report import Arrivals
from mlops.models.settings.monitoring import DriftSettings
from mlops.monitoring.alert_state import AlertState, advance
from mlops.monitoring.verdict.arrivals import judge_arrivals, longest_usual_interval

FIRST = date(2026, 1, 1)
N_DAYS = 240
CALENDARS: dict[str, Callable[[date], bool]] = {
    "daily": lambda day: True,
    "working days": lambda day: day.weekday() < 5,
    "working days with holidays": lambda day: day.weekday() < 5 and day.toordinal() % 31 != 0,
    "weekly": lambda day: day.weekday() == 0,
    "monthly": lambda day: day.day == 1,
}


def days_of(calendar: str, n: int = N_DAYS) -> list[date]:
    days = (FIRST + timedelta(offset) for offset in range(n))
    return [day for day in days if CALENDARS[calendar](day)]


def with_rows(days: Iterable[date], scatter: float = 0.0, seed: int = 0) -> dict[date, int]:
    """A thousand rows a day, a third of them at weekends where files come daily; lognormal around it."""
    rng, days = np.random.default_rng(seed), list(days)
    is_daily = len(days) > (days[-1] - days[0]).days / 2
    usual = {day: 330 if is_daily and day.weekday() >= 5 else 1000 for day in days}
    return {day: round(n * np.exp(rng.normal(0, scatter))) for day, n in usual.items()}


def judged(rows: dict[date, int], night: date, every: int | None = None) -> Arrivals:
    """The verdict at two o'clock: of that day nothing has arrived yet."""
    return judge_arrivals(
        {day: n for day, n in rows.items() if day < night}, night, expected_every_days=every
    )


def emails(rows: dict[date, int], first: int, last: int = N_DAYS) -> list[tuple[str, date]]:
    """What would be emailed, and in which night."""
    state: AlertState | None = None
    sent = []
    for night in (FIRST + timedelta(offset) for offset in range(first, last)):
        state = advance(state, night=night, verdict=judged(rows, night).verdict, model_version="v1.0.0")
        if state.pending:
            sent.append((state.pending.kind, night))
    return sent


@pytest.mark.parametrize("scatter", [0.1, 0.4])
@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_group_as_usual_sends_no_email(calendar: str, scatter: float):
    assert emails(with_rows(days_of(calendar), scatter), 14) == []


@pytest.mark.parametrize(
    ("calendar", "days_late"), [("daily", 4), ("working days", 6), ("weekly", 10), ("monthly", 40)]
)
def test_files_that_stop_are_emailed_once_and_the_end_once(calendar: str, days_late: int):
    days = days_of(calendar)
    stopped = days[len(days) * 3 // 4]
    back = stopped + timedelta(60)
    rows = with_rows(day for day in days if day <= stopped or day >= back)
    rows[back] = 1000
    sent = emails(rows, 14, N_DAYS)
    assert [kind for kind, _ in sent if kind != "DriftResolved"][:1] in (["DriftDetected"], ["DriftWarned"])
    assert (sent[0][1] - stopped).days <= days_late
    assert len(sent) <= 3, "a warning, its alert and their end"
    if back < FIRST + timedelta(N_DAYS - 3):
        assert sent[-1][0] == "DriftResolved"


def test_each_late_night_says_how_late_and_alerts_from_twice_the_usual_time():
    rows = with_rows(days_of("daily", 40))
    last = FIRST + timedelta(39)
    nights = [judged(rows, last + timedelta(age)) for age in (1, 2, 3)]
    assert [each.verdict for each in nights] == ["OK", "WARN", "ALERT"]
    assert (nights[2].problem, nights[2].days_since, nights[2].usual_days) == ("no_file", 3, 1)
    assert nights[2].message == f"last file scored on {last}, 3 days ago (usually at most 1)"
    assert judged(rows, last + timedelta(3), every=3).verdict == "OK"
    assert "expected every 3 days" in judged(rows, last + timedelta(4), every=3).message
    assert judged(rows, last + timedelta(99), every=0).verdict == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("n_days", [1, 13, 14])
def test_there_is_no_verdict_before_14_days_of_history(n_days: int):
    rows = with_rows(days_of("daily", n_days))
    rows[max(rows)] = 1
    is_judged = judged(rows, FIRST + timedelta(n_days)).verdict != "INSUFFICIENT_DATA"
    assert is_judged == (n_days == 14)
    assert judged({}, FIRST).verdict == judged({}, FIRST, every=1).verdict == "INSUFFICIENT_DATA"


def test_a_stated_interval_is_judged_from_the_first_file_on():
    assert judged({FIRST: 500}, FIRST + timedelta(2), every=1).verdict == "WARN"


@pytest.mark.parametrize(
    ("factor", "verdict", "problem"),
    [
        (0.2, "ALERT", "few_rows"),
        (0.4, "WARN", "few_rows"),
        (0.6, "OK", None),
        (1.9, "OK", None),
        (3.0, "WARN", "many_rows"),
        (9.0, "ALERT", "many_rows"),
        (0.0, "ALERT", "few_rows"),
    ],
)
@pytest.mark.parametrize("weekday", [2, 6])
def test_rows_are_compared_with_those_of_the_weekday(
    factor: float, verdict: str, problem: str | None, weekday: int
):
    rows = with_rows(days_of("daily", 90), scatter=0.1)
    day = next(day for day in reversed(rows) if day.weekday() == weekday)
    rows[day] = round(factor * (1000 if weekday < 5 else 330))
    arrivals = judged({each: n for each, n in rows.items() if each <= day}, day + timedelta(1))
    assert (arrivals.verdict, arrivals.problem, arrivals.n_rows) == (verdict, problem, rows[day])
    assert ("Wednesdays" if weekday == 2 else "Sundays") in arrivals.message
    low, high = arrivals.usual_rows or (0, 0)
    assert (low <= rows[day] <= high) == (verdict == "OK")


def test_rows_that_vary_a_lot_are_not_unusual():
    rows = with_rows(days_of("weekly", 200), scatter=1.0)
    day = max(rows)
    rows[day] = 2500
    assert judged(rows, day + timedelta(1)).verdict == "OK"


def test_an_outage_in_the_past_does_not_become_usual_and_irregular_files_have_time():
    days = [day for day in days_of("daily", 100) if not 40 <= (day - FIRST).days < 60]
    assert longest_usual_interval(days) == 1
    rng = np.random.default_rng(0)
    dropped = sorted({FIRST + timedelta(int(offset)) for offset in np.cumsum(1 + rng.exponential(3, 50))})
    intervals = [(later - earlier).days for earlier, later in pairwise(dropped)]
    assert (longest_usual_interval(dropped) or 0) >= np.quantile(intervals, 0.95)


def test_a_setting_that_is_not_stated_leaves_stored_settings_as_they_were():
    assert set(DriftSettings().to_dict()) == {"threshold", "alert_threshold", "exclude_columns"}
    assert DriftSettings.from_dict(DriftSettings(expected_every_days=7).to_dict()).expected_every_days == 7
