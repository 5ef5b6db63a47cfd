"""Numbers and lists as people read them; without numpy, for pages that a small function renders."""

from __future__ import annotations

from collections.abc import Sequence


def percent(share: float) -> str:
    """Write a share: `12 %`, `0.4 %`, `< 0.1 %`."""
    hundredths = 100.0 * share
    if 0.0 < hundredths < 0.1:
        return "< 0.1 %"
    if 0.1 <= hundredths < 0.95 or 99.05 < hundredths < 100.0:
        return f"{min(hundredths, 99.9):.1f} %"
    return f"{hundredths:.0f} %"


def number(value: float) -> str:
    """Write a number for a reader: three digits that matter, thousands apart, no needless zeros."""
    if value == 0:
        return "0"
    if 1000 <= abs(value) < 10_000:
        return f"{value:.0f}"  # may be a year
    if 10_000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def rows(n: int) -> str:
    """Write a number of rows: `1 row`, `2,139 rows`."""
    return "1 row" if n == 1 else f"{n:,} rows"


def listing(names: Sequence[str], *, most: int = 5) -> str:
    """Write names as a sentence does: `a, b and c`, `a, b, c and 4 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
