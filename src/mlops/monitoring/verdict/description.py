"""What a report says and draws of a feature: its change in plain ASCII, and the bars of both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlops.models.drift.profiles import FeatureCounts, FeatureProfile
from mlops.models.drift.report import Histogram
from mlops.monitoring.statistics.shares import Floats, have_rows, shares
from mlops.monitoring.verdict.compared_counts import Pair, bin_counts, fine_counts, finite_ends
from mlops.monitoring.verdict.fine_bins import quantiles_of_counts
from mlops.pages.number_format import number, number_change, percent_change

_N_BARS = 24
_MAX_LABELS = 8
_DIGITS = 6

type _Quartiles = Sequence[list[float]]


def describe_changes(pairs: Sequence[Pair]) -> list[str]:
    """Say what changed about the present values: `median 41 -> 55`, `share of naive: 100 % -> 12 %`.

    The text of a feature without values on one of the sides is empty.
    """
    if not pairs:
        return []
    quartiles = _quartiles([pair for pair in pairs if pair.profile.binning == "quantiles"])
    return [
        _describe_change(pair, quartiles.get(pair.profile.name)) if has_values else ""
        for pair, has_values in zip(pairs, have_rows(*fine_counts(pairs)).tolist(), strict=True)
    ]


def _describe_change(pair: Pair, quartiles: _Quartiles | None) -> str:
    return _median_change(pair, *quartiles) if quartiles else _share_change(pair)


def _median_change(pair: Pair, before: list[float], now: list[float]) -> str:
    profile, batch = pair.profile, pair.batch
    if all(
        value is None or value.is_integer()
        for value in (profile.minimum, profile.maximum, profile.median, batch.minimum, batch.maximum)
    ):  # of whole numbers the bin (40, 41] holds 41 alone
        before, now = ([float(math.ceil(value)) for value in side] for side in (before, now))
    if profile.median is not None:
        before[1] = profile.median  # known exactly
    if before[1] != now[1]:
        return f"median {number_change(before[1], now[1])}"
    if before != now:
        return f"median {number(now[1])}, middle half {number_change(before[::2], now[::2])}"
    return _largest_bin_change(pair)


def _quartiles(pairs: Sequence[Pair]) -> dict[str, _Quartiles]:
    """Return the quartiles of numeric features by name, then and now."""
    if not pairs:
        return {}
    fine, ends = fine_counts(pairs), finite_ends(pairs)
    before = _quartiles_of([pair.profile for pair in pairs], fine.before, ends)
    now = _quartiles_of([pair.batch for pair in pairs], fine.now, ends)
    return {pair.profile.name: sides for pair, *sides in zip(pairs, before, now, strict=True)}


def _quartiles_of(
    sides: Sequence[FeatureProfile | FeatureCounts], counts: Floats, ends: Floats
) -> list[list[float]]:
    """Return the quartiles of one side; none is outside the values seen on that side."""
    unknown = (-np.inf, np.inf)
    seen = np.array(
        [unknown if None in (side.minimum, side.maximum) else (side.minimum, side.maximum) for side in sides],
        dtype=float,
    )
    ends = np.minimum(np.maximum(ends, seen[:, :1]), seen[:, 1:])
    values: list[list[float]] = np.nan_to_num(quantiles_of_counts(counts, ends, 0.25, 0.5, 0.75)).tolist()
    return values


def _largest_bin_change(pair: Pair) -> str:
    """Name the bin whose share of the values changed most: the median and the middle half are the same."""
    most, before, now = _most_changed(pair)
    fine = np.flatnonzero(np.asarray(pair.profile.bins) == most)
    low, high = number(pair.ends[fine[0]]), number(pair.ends[fine[-1] + 1])
    values = f"values from {low} to {high}" if low != high else f"value {high}"
    return f"share of {values}: {percent_change(before, now)}"


def _share_change(pair: Pair) -> str:
    """Name the value whose share of the present values changed most."""
    most, before, now = _most_changed(pair)
    names = [*value_names(pair.profile), "other values"]
    return f"share of {names[most]}: {percent_change(before, now)}"


def _most_changed(pair: Pair) -> tuple[int, float, float]:
    """Return the bin whose share of the present values changed most, and that share, then and now."""
    before, now = (shares(bin_counts(pair.profile, side)) for side in (pair.before, pair.now))
    most = int(abs(now - before).argmax())
    return most, float(before[most]), float(now[most])


def value_names(profile: FeatureProfile) -> list[str]:
    """Name the bins of a feature with single values or levels; without the last one, all others."""
    if profile.kind == "categorical":
        return list(profile.levels)
    # the last bin is of the gaps between the values, which have no name
    return [
        number(end)
        for end, bin_number in zip(profile.edges, profile.bins[:-1], strict=True)
        if bin_number < profile.n_distinct
    ]


def feature_histogram(pair: Pair, *, n_rows: int) -> Histogram | None:
    """Return the bars of a feature as shares of all rows, missing ones included; None without values."""
    if not (pair.before.any() or pair.now.any()):
        return None
    return _equal_bars(pair, n_rows) if pair.profile.binning == "quantiles" else _labelled_bars(pair, n_rows)


def _equal_bars(pair: Pair, n_rows: int) -> Histogram | None:
    """Equal bars from the fine bins, over the middle 98 % of both sides; the end bars hold the rest."""
    reach = [quantiles_of_counts(side, pair.ends, 0.01, 0.99) for side in (pair.before, pair.now)]
    with np.errstate(over="ignore", invalid="ignore"):
        marks = np.linspace(np.nanmin(reach), np.nanmax(reach), _N_BARS + 1)
    if not (np.isfinite(marks).all() and marks[0] < marks[-1]):
        return None
    return Histogram(
        reference=_bars(pair.before, pair.ends, marks, pair.profile.n_rows),
        current=_bars(pair.now, pair.ends, marks, n_rows),
        edges=tuple(marks.tolist()),
    )


def _bars(counts: Floats, ends: Floats, marks: Floats, n_rows: int) -> tuple[float, ...]:
    cumulated = np.concatenate([[0.0], np.cumsum(counts)])
    reached = np.interp(marks, ends, cumulated)
    reached[0], reached[-1] = 0.0, cumulated[-1]
    return _rounded(np.diff(reached) / max(n_rows, 1))


def _labelled_bars(pair: Pair, n_rows: int) -> Histogram:
    """One bar per value, the commonest eight of either side; the rest together is the last bar."""
    profile = pair.profile
    before = bin_counts(profile, pair.before) / max(profile.n_rows, 1)
    now = bin_counts(profile, pair.now) / max(n_rows, 1)
    names = value_names(profile)
    order = np.argsort(-np.maximum(before[:-1], now[:-1]), kind="stable")
    shown = np.sort(order[:_MAX_LABELS]) if profile.kind == "numeric" else order[:_MAX_LABELS]
    rest = order[_MAX_LABELS:]
    labels = [names[index] for index in shown]
    sides = [np.append(side[shown], side[rest].sum() + side[-1]) for side in (before, now)]
    return Histogram(reference=_rounded(sides[0]), current=_rounded(sides[1]), labels=(*labels, "all others"))


def _rounded(bars: Floats) -> tuple[float, ...]:
    return tuple(np.round(bars, _DIGITS).tolist())
