"""Numbers, times and lists as people read them; without numpy, for pages that a small function renders."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

_MAX_DIGITS = 12


def percent(share: float, *, decimals: int = 0) -> str:
    """Write a share: `12 %`, `0.4 %`, `< 0.1 %`; with more decimals on request."""
    hundredths = 100.0 * share
    if decimals:
        return f"{hundredths:.{decimals}f} %"
    if 0.0 < hundredths < 0.1:
        return "< 0.1 %"
    if 0.1 <= hundredths < 0.95 or 99.05 < hundredths < 100.0:
        return f"{min(hundredths, 99.9):.1f} %"
    return f"{hundredths:.0f} %"


def number(value: float, *, digits: int = 3) -> str:
    """Write a number for a reader: three digits that matter, thousands apart, no needless zeros."""
    if value == 0:
        return "0"
    if not 1000 <= float(f"{abs(value):.{digits}g}") < 1e15:
        return f"{value:.{digits}g}"
    decimals = max(digits - len(f"{abs(value):.0f}"), 0)
    text = f"{value:.{decimals}f}" if abs(value) < 10_000 else f"{value:,.{decimals}f}"  # may be a year
    return text.rstrip("0").rstrip(".") if decimals else text


def number_change(before: float | Sequence[float], now: float | Sequence[float]) -> str:
    """Write `41 -> 55`, or `30 to 41 -> 31 to 55`, with as many digits as show the difference."""
    sides = [[side] if isinstance(side, float | int) else side for side in (before, now)]
    return _with_difference(
        [" to ".join(number(value, digits=digits) for value in side) for side in sides]
        for digits in range(3, _MAX_DIGITS)
    )


def percent_change(before: float, now: float) -> str:
    """Write `12 % -> 55 %`, with as many decimals as show the difference."""
    return _with_difference(
        [percent(share, decimals=decimals) for share in (before, now)] for decimals in range(_MAX_DIGITS)
    )


def _with_difference(texts: Iterable[list[str]]) -> str:
    """Return the first pair of texts that differ, or the first pair."""
    pairs = iter(texts)
    first = next(pairs)
    return " -> ".join(next((pair for pair in chain([first], pairs) if pair[0] != pair[1]), first))


def p_value(value: float) -> str:
    """Write a p-value or q-value: `0.012`, `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def counted(n: int, unit: str) -> str:
    """Write a number with its unit: `1 run`, `2,139 runs`."""
    return f"{n:,} {unit}{'' if n == 1 else 's'}"


def counted_by_state(states: Sequence[str], unit: str) -> str:
    """Write how many have each state: `3 groups: 2 ALERT, 1 OK`."""
    counts = ", ".join(f"{n:,} {state}" for state, n in Counter(states).items())
    return f"{counted(len(states), unit)}: {counts}"


def rows(n: int) -> str:
    """Write a number of rows: `1 row`, `2,139 rows`."""
    return counted(n, "row")


def duration(seconds: float) -> str:
    """Write a duration: `4.2 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def age(span: timedelta) -> str:
    """Write how long ago something was, in its largest unit: `5 min`, `3 h`, `12 days`."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else counted(minutes // (24 * 60), "day")


def usd(amount: float) -> str:
    """Write an amount of US dollars; small ones to a hundredth of a cent."""
    if 0 < amount < 0.00005:
        return "under $0.0001"
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.4f}"


def moment(at: datetime) -> str:
    """Write a time (UTC) to the minute: `2026-03-01 10:30 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def value(setting: Any) -> str:
    """Write a value of any JSON type, as a setting or a hyperparameter has it."""
    if isinstance(setting, str):
        return setting
    return number(setting) if isinstance(setting, float) else json.dumps(setting)


def arrows(text: str) -> str:
    """Write the arrows of a sentence as print does."""
    return text.replace(" -> ", " → ")


def listing(names: Sequence[str], *, max_names: int = 5) -> str:
    """Write names as a sentence does: `a, b and c`, `a, b, c and 4 more`."""
    shown = list(names[:max_names])
    if len(names) > max_names:
        return f"{', '.join(shown)} and {len(names) - max_names} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
