"""Notations of dates: which ones a text can have, which one a column has, and how dates of it are read.

A notation is named by the codes of `strptime`, such as `%d.%m.%Y %H:%M`, or is one of the names below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ISO_DATES = "ISO"  # YYYY-MM-DD, with or without a time and a zone
UNDECIDED = "undecided"  # the first two numbers of all dates may be day or month
EPOCHS = {"epoch_s": 1000, "epoch_ms": 1, "epoch_us": 0.001, "epoch_ns": 0.000001}  # in milliseconds
_EPOCH_RANGE = (5e11, 4e12)  # milliseconds: 1985 to 2096
COMPACT = "%Y%m%d"

_TIME = (
    r"(?P<joint>,? +|T)(?P<hour>[0-9]{1,2})(?P<colon>[:.])[0-9]{2}"
    r"(?P<second>(?P=colon)[0-9]{2}(?P<part>[.,][0-9]{1,9})?)?"
    r"(?P<blank> ?)(?P<half>[AaPp]\.?[Mm]\.?)?(?P<gap> ?)(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMERIC = re.compile(
    rf"(?P<a>[0-9]{{1,4}})(?P<mark>[-/. ])(?P<b>[0-9]{{1,2}})(?P=mark)"
    rf"(?P<c>[0-9]{{4}}|[0-9]{{1,2}})(?:{_TIME})?"
)
_YEAR_MONTH = re.compile(r"[12][0-9]{3}(?P<mark>[-/])(?:0?[1-9]|1[0-2])")
# with a point only in two digits: `3.2019` is a number
_MONTH_YEAR = re.compile(
    r"(?:(?:0[1-9]|1[0-2])(?P<point>\.)|(?:0?[1-9]|1[0-2])(?P<mark>[-/]))(?:19|20)[0-9]{2}"
)
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_LONG_MONTHS = "january|february|march|april|june|july|august|september|october|november|december"
_MONTH = rf"(?P<month>(?:{_LONG_MONTHS}|{MONTHS})(?![a-z]))"
_BETWEEN = r"[ .,-]{1,2}|/"
_NAMED = re.compile(
    rf"(?P<weekday>[a-z]{{3,9}},? )?(?:[0-9]{{1,2}}(?P<s1>{_BETWEEN})?{_MONTH}(?P<s2>{_BETWEEN})?"
    rf"(?P<year>[0-9]{{4}}|[0-9]{{2}})"
    rf"|{_MONTH.replace('month', 'first')}(?P<s3>{_BETWEEN})[0-9]{{1,2}}(?P<s4>,? +)[0-9]{{4}})"
    rf"(?:{_TIME.replace('|T)', '|T|:)')})?",  # 01JAN2020:08:30:00
    re.IGNORECASE,
)
_NAMED_MONTH = re.compile(rf"{_MONTH}(?P<mark>[ /-])(?:19|20)[0-9]{{2}}", re.IGNORECASE)
_COMPACT = re.compile(
    r"(?P<day>[0-9]{8})(?:(?P<joint>T?)(?:[01][0-9]|2[0-3])[0-5][0-9](?P<second>[0-5][0-9])?(?P<zone>Z)?)?"
    r"|(?P<ordinal>[0-9]{7})|(?P<month>[0-9]{6})"
)
_DAY_OF_YEAR = "(?:00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
_ORDINAL = re.compile(rf"(?:19|20)[0-9]{{2}}(?P<mark>-?){_DAY_OF_YEAR}")
_COMPACT_MONTH = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])")
_COMPACT_DAYS = {
    re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"): COMPACT,
    re.compile(r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{2}"): "%d%m%Y",
    re.compile(r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:19|20)[0-9]{2}"): "%m%d%Y",
}
_HALF = re.compile(r"([ap])\.?m\.?", re.IGNORECASE)
_TIME_CODES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
_EARLIEST_YEAR, _LATEST_YEAR = 1000, 2599  # also those of Buddhist calendars
_FAR_YEAR = 9999  # means "no date"
_FAR = re.compile(r"1[0-5][0-9]{2}|16[0-7][0-9]|22[6-9][0-9]|2[3-5][0-9]{2}|9999")


def formats_of(text: str) -> tuple[str, ...]:
    """Return the notations in which a text is a date that exists; nothing for other texts."""
    if match := _NUMERIC.fullmatch(text):
        return tuple(f"{day}{_time(match)}" for day in _numeric_days(match))
    if match := _YEAR_MONTH.fullmatch(text):
        return (f"%Y{match['mark']}%m",)
    if match := _MONTH_YEAR.fullmatch(text):
        return (f"%m{match['mark'] or '.'}%Y",)
    if text[:8].isdigit():
        return _compact_formats(text)
    if _ORDINAL.fullmatch(text):
        return ("%Y-%j",)
    return _named_formats(text) if text.lower() != text.upper() else ()  # only with letters


def count_formats(texts: Iterable[str], counts: Iterable[int]) -> Counter[str]:
    """Return how many cells can be read in each notation; `texts` are stripped."""
    total: Counter[str] = Counter()
    for text, count in zip(texts, counts, strict=True):
        for notation in formats_of(text):
            total[notation] += count
    return total


def format_of(counts: Counter[str], *, min_cells: float, preferred: str | None = None) -> str | None:
    """Return the notation of a column by how many cells can be read in each.

    Parameters
    ----------
    counts
        As `count_formats` gives them.
    min_cells
        How many cells must be dates.
    preferred
        The notation to take where several read as many cells.

    Returns
    -------
    str or None
        None when fewer cells are dates, `UNDECIDED` when day and month cannot be distinguished.
    """
    by_day: Counter[str] = Counter()
    for notation, count in counts.items():
        by_day[day_part(notation)] += count
    if not by_day or max(by_day.values()) < max(min_cells, 1):
        return None
    most = max(by_day.values())
    best = [day for day in sorted(by_day, key=_rank) if by_day[day] == most]
    if preferred is not None and day_part(preferred) in best:
        return preferred
    if len(best) > 1 and best[0][:2] == "%d" and _swapped(best[0]) in best:
        return UNDECIDED
    timed = [(count, name) for name, count in counts.items() if day_part(name) == best[0] != name]
    return max(timed)[1] if timed else best[0]


def epoch_of(minimum: float, maximum: float) -> str | None:
    """Return the notation of numbers whose range is that of times since 1970; None for others."""
    for name, milliseconds in EPOCHS.items():
        low, high = (bound / milliseconds for bound in _EPOCH_RANGE)
        if low <= minimum and maximum <= high:
            return name
    return None


def read_moments(texts: Sequence[str], notation: str) -> pd.Series:
    """Return texts in one notation (none of `ISO_DATES`) as moments in UTC, NaT for what does not fit.

    A time of day may be absent, or have no seconds, in some of the cells.
    """
    if "%p" in notation:
        texts = [_HALF.sub(r"\1m", text) for text in texts]
    series = pd.Series(list(texts), dtype=object)
    if notation in EPOCHS:
        counted = pd.to_numeric(series, errors="coerce") * EPOCHS[notation]
        return pd.Series(pd.to_datetime(counted, unit="ms", utc=True, errors="coerce"))
    moments = pd.to_datetime(series, format=notation, errors="coerce", utc=True)
    for other in _variants(notation):
        gaps = moments.isna()
        if not gaps.any():
            break
        moments[gaps] = pd.to_datetime(series[gaps], format=other, errors="coerce", utc=True)
    return moments


def fit(texts: Sequence[str], notation: str) -> NDArray[np.bool_]:
    """Mark the texts that are dates in a notation, also those too far away for 64-bit moments."""
    marks = read_moments(texts, notation).notna().to_numpy(bool, copy=True)
    if notation not in EPOCHS:
        for position in np.flatnonzero(~marks).tolist():
            marks[position] = _is_far(texts[position], notation)
    return marks


def undecided_pair(counts: Counter[str]) -> tuple[str, str]:
    """Return the notations, day first and month first, between which a column is undecided."""
    day_first = [notation for notation, _ in counts.most_common() if notation.startswith("%d")]
    first = next((n for n in day_first if _swapped(n) in counts), "%d/%m/%Y")
    return first, _swapped(first)


def is_swapped(stated: str, notation: str) -> bool:
    """Whether a notation is the stated one but for the order of day and month."""
    return stated != notation and _swapped(stated) == notation


def day_part(notation: str) -> str:
    """Return a notation without the time of day."""
    return re.split(r"(?:,? |[T:])%[HI]", notation, maxsplit=1)[0]


def _numeric_days(match: re.Match[str]) -> list[str]:
    mark, a, b, c = match["mark"], int(match["a"]), int(match["b"]), int(match["c"])
    if len(match["a"]) == 4:
        is_year = _is_year(a) and len(match["c"]) <= 2
        return [f"%Y{mark}%m{mark}%d"] if is_year and _is_day(a, b, c) else []
    if len(match["a"]) == 3 or (len(match["c"]) == 4 and not _is_year(c)):
        return []
    if len(match["c"]) == 4:
        year, orders = "%Y", [(c, b, a, "%d{0}%m{0}%Y"), (c, a, b, "%m{0}%d{0}%Y")]
    elif len(match["c"]) == 2 and mark != " " and (mark != "." or len(match["a"]) == len(match["b"]) == 2):
        year = "%y"
        orders = [(c, b, a, "%d{0}%m{0}%y"), (c, a, b, "%m{0}%d{0}%y"), (a, b, c, "%y{0}%m{0}%d")]
    else:
        return []
    of_year = 0 if year == "%Y" else 2000
    return [order.format(mark) for y, m, d, order in orders if _is_day(y + of_year, m, d)]


def _compact_formats(text: str) -> tuple[str, ...]:
    match = _COMPACT.fullmatch(text)
    if match is None:
        return ()
    if match["ordinal"]:
        return ("%Y%j",) if _ORDINAL.fullmatch(text) else ()
    if match["month"]:
        return ("%Y%m",) if _COMPACT_MONTH.fullmatch(text) else ()
    time = "%H%M" + ("%S" if match["second"] else "") + ("%z" if match["zone"] else "")
    time = "" if len(text) == len(match["day"]) else f"{match['joint']}{time}"
    return tuple(f"{name}{time}" for day, name in _COMPACT_DAYS.items() if day.fullmatch(match["day"]))


def _named_formats(text: str) -> tuple[str, ...]:
    if match := _NAMED_MONTH.fullmatch(text):
        return tuple(f"{code}{match['mark']}%Y" for code in _month_codes(match["month"]))
    match = _NAMED.fullmatch(text)
    if match is None:
        return ()
    codes = _month_codes(match["month"] or match["first"])
    weekday = match["weekday"] or ""
    name = weekday.rstrip(", ")
    before = weekday.replace(name, "%a" if len(name) == 3 else "%A") if name else ""
    if match["year"]:
        year = "%Y" if len(match["year"]) == 4 else "%y"
        days = [f"%d{match['s1'] or ''}{code}{match['s2'] or ''}{year}" for code in codes]
    else:
        days = [f"{code}{match['s3']}%d{match['s4']}%Y" for code in codes]
    return tuple(f"{before}{day}{_time(match)}" for day in days)


def _month_codes(name: str) -> tuple[str, ...]:
    """Return how strptime names such a month; `May` is both its short and its long name."""
    return ("%b", "%B") if name.lower() == "may" else ("%b",) if len(name) == 3 else ("%B",)


def _time(match: re.Match[str]) -> str:
    if match["hour"] is None:
        return ""
    colon, part = match["colon"], match["part"]
    second = "" if match["second"] is None else f"{colon}%S{part[0]}%f" if part else f"{colon}%S"
    half = f"{match['blank']}%p" if match["half"] else ""
    # without a half of the day the blank before the zone is the first of both
    zone = f"{match['gap'] if half else match['blank']}%z" if match["zone"] else ""
    return f"{match['joint']}{'%I' if half else '%H'}{colon}%M{second}{half}{zone}"


@cache
def _variants(notation: str) -> tuple[str, ...]:
    day = day_part(notation)
    if day == notation:
        return ()
    joint = notation[len(day)] if notation[len(day)] in "T:" else " "
    same = [code for code in _TIME_CODES if ("%p" in code) == ("%p" in notation)]
    if ",%f" in notation:
        same = [code.replace(".", ",") for code in same]
    if ".%M" in notation:
        same = [code.replace(":", ".") for code in same]
    return (*(f"{day}{joint}{code}" for code in same if f"{day}{joint}{code}" != notation), day)


def _rank(day: str) -> int:
    """Return the order in which notations are preferred that read the same cells."""
    return 0 if day == ISO_DATES else {"%m": 2, "%y": 3}.get(day[:2], 1)


def _swapped(notation: str) -> str:
    return notation.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _is_year(year: int) -> bool:
    return _EARLIEST_YEAR <= year <= _LATEST_YEAR or year == _FAR_YEAR


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)  # noqa: DTZ001  only whether the day exists
    except ValueError:
        return False
    return True


def _is_far(text: str, notation: str) -> bool:
    if not _FAR.search(text):  # what is not a date at all is not tried in every notation
        return False
    for one in (notation, *_variants(notation)):
        try:
            datetime.strptime(text, one)  # noqa: DTZ007  only whether it fits
        except ValueError:
            continue
        return True
    return False
