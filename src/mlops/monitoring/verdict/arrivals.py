"""The rule about files that stop arriving, and about unusual numbers of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from mlops.models.drift.report import ArrivalProblem, Arrivals, DriftVerdict
from mlops.pages.number_format import counted, rows

HISTORY_DAYS = 180
MIN_HISTORY_DAYS = 14
_MIN_DAYS_WITH_FILES = 5
_USUAL_SHARE = 0.9  # of the intervals; a past outage is not usual
_N_WEEKS = 8
_MIN_SAME_WEEKDAYS = 4
_N_DAYS_COMPARED = 20  # where files come too seldom to compare by weekday
_DEVIATIONS = 4.0
_SCATTER_OF_MAD = 1.4826  # the standard deviation of normal values with a MAD of 1
_WARN_FACTOR, _ALERT_FACTOR = 2.0, 4.0
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

RULE = (
    "WARN when no file was scored for longer than usual, or than expected_every_days; ALERT from twice as "
    f"long on. WARN when a day has less than 1/{_WARN_FACTOR:g} or more than {_WARN_FACTOR:g} times the "
    f"usual rows of its weekday, ALERT at 1/{_ALERT_FACTOR:g} and {_ALERT_FACTOR:g} times, when that is also "
    f"{_DEVIATIONS:g} robust standard deviations away. Usual is what the last weeks show, from "
    f"{MIN_HISTORY_DAYS} days on."
)


@dataclass(frozen=True, slots=True)
class _UsualRows:
    """The usual rows of a day, on a logarithmic scale: half and double are equally far away."""

    center: float
    scatter: float
    days: str

    def limits(self, factor: float) -> tuple[float, float]:
        """Return how few and how many rows are usual, when they may differ by a factor."""
        distance = max(math.log(factor), _DEVIATIONS * self.scatter)
        return math.exp(self.center - distance), math.exp(self.center + distance)


def judge_arrivals(
    rows_by_day: Mapping[date, int], night: date, *, expected_every_days: int | None = None
) -> Arrivals:
    """Judge how files arrive, as it was known in a night.

    Parameters
    ----------
    rows_by_day
        The scored rows of each day with a file, in UTC; days after the night are not looked at.
    expected_every_days
        The longest time between two days with files; None takes it from the history, 0 judges nothing.

    Returns
    -------
    Arrivals
        INSUFFICIENT_DATA where no file is expected, or with fewer than 14 days of history. Rows are judged of
        the last whole day with a file, unless a file is missing.
    """
    history = {
        day: n for day, n in sorted(rows_by_day.items()) if night - timedelta(HISTORY_DAYS) <= day <= night
    }
    if expected_every_days == 0:
        return Arrivals("INSUFFICIENT_DATA", "no files are expected", rule=RULE)
    is_short = not history or (night - next(iter(history))).days < MIN_HISTORY_DAYS
    if not history or (is_short and expected_every_days is None):
        return Arrivals("INSUFFICIENT_DATA", f"fewer than {MIN_HISTORY_DAYS} days of history", rule=RULE)
    fresh = _judge_age(list(history), night, expected_every_days)
    if fresh.verdict in ("WARN", "ALERT") or is_short:
        return fresh
    return _judge_rows(fresh, {day: n for day, n in history.items() if day < night})


def _judge_age(days: Sequence[date], night: date, stated: int | None) -> Arrivals:
    """Judge how long ago the last file was scored."""
    age = (night - days[-1]).days
    arrivals = Arrivals("OK", "", last_day=days[-1], days_since=age, rule=RULE)
    usual = stated or longest_usual_interval(days)
    if usual is None:
        message = f"files on fewer than {_MIN_DAYS_WITH_FILES} days"
        return replace(arrivals, verdict="INSUFFICIENT_DATA", message=message)
    verdict: DriftVerdict = "OK" if age <= usual else "WARN" if age <= 2 * usual else "ALERT"
    expected = f"expected every {counted(usual, 'day')}" if stated else f"usually at most {usual}"
    message = f"last file scored on {days[-1]}, {counted(age, 'day')} ago ({expected})"
    problem: ArrivalProblem | None = None if verdict == "OK" else "no_file"
    return replace(arrivals, verdict=verdict, message=message, problem=problem, usual_days=usual)


def longest_usual_interval(days: Sequence[date]) -> int | None:
    """Return the longest usual number of days between two days with files; None for fewer than five of them.

    It is the 90th percentile of the intervals and three robust standard deviations. Where most intervals are
    equal the latter are 0: a daily group has 1, one of working days 3, a weekly one 7. Where they vary, as
    in a group whose files people drop now and then, it is beyond most of them.
    """
    if len(days) < _MIN_DAYS_WITH_FILES:
        return None
    intervals = sorted((later - earlier).days for earlier, later in pairwise(days))
    percentile = intervals[math.floor(_USUAL_SHARE * (len(intervals) - 1))]
    return math.floor(percentile + 3.0 * _scatter(intervals))


def _judge_rows(fresh: Arrivals, history: Mapping[date, int]) -> Arrivals:
    """Judge the rows of the last whole day with a file; its age was judged before."""
    if not history:
        return fresh
    day, n_rows = list(history.items())[-1]
    usual = _usual_rows({each: n for each, n in history.items() if each < day}, day)
    if usual is None:
        return replace(fresh, n_rows=n_rows)
    low, high = usual.limits(_WARN_FACTOR)
    span = math.ceil(low), math.floor(high)
    message = f"{fresh.message}; {rows(n_rows)} on {day} (on {usual.days} usually {span[0]:,} to {span[1]:,})"
    judged = replace(fresh, message=message, n_rows=n_rows, usual_rows=span)
    if span[0] <= n_rows <= span[1]:
        return judged
    far_low, far_high = usual.limits(_ALERT_FACTOR)
    verdict: DriftVerdict = "WARN" if far_low <= n_rows <= far_high else "ALERT"
    return replace(judged, verdict=verdict, problem="few_rows" if n_rows < low else "many_rows")


def _usual_rows(before: Mapping[date, int], day: date) -> _UsualRows | None:
    """Return what is usual on the weekday, or on all days where it had few files; None for too few."""
    first = day - timedelta(weeks=_N_WEEKS)
    same = [n for each, n in before.items() if each >= first and each.weekday() == day.weekday()]
    if len(same) >= _MIN_SAME_WEEKDAYS:
        compared, days = same, _WEEKDAYS[day.weekday()]
    elif len(before) >= _MIN_DAYS_WITH_FILES:
        compared, days = list(before.values())[-_N_DAYS_COMPARED:], "days with files"
    else:
        return None
    logarithms = [math.log(max(n, 1)) for n in compared]
    return _UsualRows(median(logarithms), _scatter(logarithms), days)


def _scatter(values: Sequence[float]) -> float:
    """Return the robust standard deviation: the scaled median of the absolute deviations from the median."""
    center = median(values)
    return _SCATTER_OF_MAD * median(abs(each - center) for each in values)
