"""Days of predictions: which ones have their labels, and which ones are judged together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from mlops.monitoring.quality.counts import Counts, total

_USUAL = 0.9
_SHARE_OF_USUAL = 0.8


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled predictions of one part: what was counted of them, and how many predictions there are."""

    counts: Counts
    n_predictions: int


def mature_days(
    days: Mapping[date, Labelled], today: date, label_delay_days: int | None = None
) -> tuple[date, ...]:
    """Return the days whose labels have come: early labels, as failures that show at once, may differ.

    With a stated delay these are the days that are at least as old. Otherwise they are the days of which at
    least 80 % as many predictions have a label as usual; the usual share is that of the 90th percentile of
    the days.
    """
    if label_delay_days is not None:
        last = today - timedelta(days=label_delay_days)
        return tuple(sorted(day for day in days if day <= last))
    shares = {day: labelled.counts.n_labels / labelled.n_predictions for day, labelled in days.items()}
    if not shares:
        return ()
    weights = np.array([labelled.n_predictions for labelled in days.values()])
    usual = float(np.quantile(list(shares.values()), _USUAL, weights=weights, method="inverted_cdf"))
    return tuple(sorted(day for day, share in shares.items() if 0.0 < share >= _SHARE_OF_USUAL * usual))


def periods_of(days: Sequence[date], sizes: Mapping[date, int], min_size: int) -> list[list[date]]:
    """Return the days in the shortest runs of at least `min_size` rows; the last one may have fewer."""
    periods: list[list[date]] = []
    n_rows = 0
    for day in days:
        if not periods or n_rows >= min_size:
            periods.append([])
            n_rows = 0
        periods[-1].append(day)
        n_rows += sizes[day]
    return periods


def recent_runs(periods: Sequence[Sequence[date]]) -> list[list[date]]:
    """Return the days of the newest 2, 4, 8, ... periods, without all of them.

    So a drop is found about as soon as its size allows, however long the quality was as approved before.
    """
    runs, size = [], 2
    while size < len(periods):
        runs.append([day for period in periods[-size:] for day in period])
        size *= 2
    return runs


def joined(days: Sequence[date], labelled: Mapping[date, Labelled]) -> Labelled:
    """Return the labelled predictions of one or more days together."""
    chosen = [labelled[day] for day in days]
    return Labelled(total([each.counts for each in chosen]), sum(each.n_predictions for each in chosen))


def name_of(days: Sequence[date]) -> str:
    """Return `2026-11-02`, or `2026-11-02 to 2026-11-08`."""
    first, last = days[0].isoformat(), days[-1].isoformat()
    return first if first == last else f"{first} to {last}"
