"""Aggregates of one column that add up over its parts: the range of its numbers, distinct values, dates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.date_formats import ISO_DATES, UNDECIDED, count_formats
from mlops.dataset.table.cells import SAFE_INTEGER
from mlops.dataset.table.dates import view_as_dates
from mlops.dataset.table.mixing import mixed
from mlops.dataset.table.occurrences import DistinctCells, Occurrences
from mlops.models.dataset import ColumnContract

# what exports write for "missing" in a column of numbers
SENTINELS = (
    *(-99999.0, -9999.0, -8888.0, -7777.0, -999.0, -998.0, -888.0, -777.0, -99.0, -88.0, -77.0, -9.0, -1.0),
    *(99.0, 777.0, 888.0, 999.0, 7777.0, 8888.0, 9999.0, 99999.0, 999999.0),
    *(-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0),  # the ends of what programs can store
)
_FEW_NUMBERS = 20
_NARROW_SPAN = 200.0
_FILLED_SHARE = 0.9
_KEPT_KEYS = 1024


@dataclass(slots=True)
class DistinctValues:
    """Counts distinct values by the smallest of their mixed keys: exact below 1,024, else within some 6 %.

    Order and repetition of the values change nothing, so parts of a table give the count of the whole.

    References
    ----------
    Beyer et al., On Synopses for Distinct-Value Estimation Under Multiset Operations, SIGMOD 2007.
    """

    keys: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many distinct values there were."""
        if len(self.keys) < _KEPT_KEYS:
            return len(self.keys)
        return round((_KEPT_KEYS - 1) * 2.0**64 / self.keys[-1])

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Take one key (a 64-bit hash) for each value, with or without repetitions."""
        candidates = mixed(keys)
        if len(self.keys) == _KEPT_KEYS:
            candidates = candidates[candidates < np.uint64(self.keys[-1])]
        if len(candidates):
            self._keep(candidates)

    def merged(self, later: DistinctValues) -> DistinctValues:
        """Return the distinct values of both."""
        both = DistinctValues(list(self.keys))
        both._keep(np.array(later.keys, dtype=np.uint64))
        return both

    def _keep(self, keys: NDArray[np.uint64]) -> None:
        self.keys = np.union1d(np.array(self.keys, dtype=np.uint64), keys)[:_KEPT_KEYS].tolist()


@dataclass(slots=True)
class NumberRange:
    """Smallest and largest finite number so far; `typical_*` leave out the sentinels.

    `large` are whole numbers that a float holds only roughly.
    """

    minimum: float = np.inf
    maximum: float = -np.inf
    typical_minimum: float = np.inf
    typical_maximum: float = -np.inf
    infinite: Occurrences = field(default_factory=Occurrences)
    outside: Occurrences = field(default_factory=Occurrences)
    large: Occurrences = field(default_factory=Occurrences)
    sentinels: dict[float, Occurrences] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no finite number was seen."""
        return self.minimum > self.maximum

    def add(
        self, numbers: NDArray[np.float64], lines: NDArray[np.int64], expected: ColumnContract | None
    ) -> None:
        """Take numbers, NaN where missing; those outside of what the contract expects are noted."""
        low, high = _extremes(numbers)
        if low == -np.inf or (high == np.inf and np.isinf(numbers).any()):
            infinite = np.isinf(numbers)
            self.infinite.record(lines[infinite], ("infinity",))
            numbers = np.where(infinite, np.nan, numbers)
            low, high = _extremes(numbers)
        self._add_extremes(numbers, low, high, lines)
        if max(-low, high) >= SAFE_INTEGER:
            large = np.abs(numbers) >= SAFE_INTEGER
            self.large.record(lines[large], map(plain, numbers[large][:3].tolist()))
        if expected is not None and (expected.minimum is not None or expected.maximum is not None):
            bottom, top = plausible_range(expected)
            if low < bottom or high > top:
                outside = (numbers < bottom) | (numbers > top)
                self.outside.record(lines[outside], map(plain, numbers[outside][:3].tolist()))

    def _add_extremes(
        self, numbers: NDArray[np.float64], low: float, high: float, lines: NDArray[np.int64]
    ) -> None:
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        if low in SENTINELS or high in SENTINELS:
            for sentinel in SENTINELS:
                is_sentinel = numbers == sentinel
                if is_sentinel.any():
                    occurrences = self.sentinels.setdefault(
                        sentinel, Occurrences(max_lines=self.outside.max_lines)
                    )
                    occurrences.record(lines[is_sentinel])
            low, high = _extremes(numbers[~np.isin(numbers, SENTINELS)])
        self.typical_minimum = min(self.typical_minimum, low)
        self.typical_maximum = max(self.typical_maximum, high)


@dataclass(slots=True)
class DateCounts:
    """Counts of one column's cells as dates.

    `formats` says how many cells can be read in each notation, `misfits` are those of none of the column.
    """

    formats: Counter[str] = field(default_factory=Counter)
    n_zoned: int = 0
    n_unzoned: int = 0
    impossible: Occurrences = field(default_factory=Occurrences)
    misfits: Occurrences = field(default_factory=Occurrences)

    def add(self, cells: DistinctCells, is_missing: NDArray[np.bool_], date_format: str) -> None:
        """Take cells of a column of dates in one notation; cells that do not fit are read in all others."""
        view = view_as_dates(cells.values, date_format)
        is_date = (view.is_valid | view.is_impossible) & ~is_missing
        if date_format != UNDECIDED:
            self.formats[date_format] += cells.count(is_date)
        others = np.flatnonzero(~is_missing & ~is_date if date_format != UNDECIDED else ~is_missing)
        texts = [cells.values[position].strip() for position in others.tolist()]
        self.formats += count_formats(texts, cells.counts[others].tolist())
        if date_format == ISO_DATES:
            self.n_zoned += cells.count(view.has_zone)
            self.n_unzoned += cells.count(view.is_valid & view.has_time & ~view.has_zone)
            cells.record(self.impossible, view.is_impossible)
        cells.record(self.misfits, ~(is_date | is_missing))


def counts_rows(numbers: NDArray[np.float64], n_rows: int) -> bool:
    """Whether whole numbers count the rows, in order or shuffled.

    In order they only grow, with gaps for less than half of them; shuffled, each occurs once and they fill
    nine tenths of a range that is wider than that of ages.

    Parameters
    ----------
    numbers
        The numbers of all rows, or of an even sample of them, in the order of the rows; none is missing.
    n_rows
        How many rows have a number.
    """
    if len(numbers) <= _FEW_NUMBERS or not np.isfinite(numbers).all() or (np.rint(numbers) != numbers).any():
        return False
    width = float(numbers.max() - numbers.min()) + 1.0
    if not n_rows <= width <= 2 * n_rows:
        return False
    if (np.diff(numbers) > 0).all():
        return True
    is_filled = width > _NARROW_SPAN and n_rows > _FILLED_SHARE * width
    return is_filled and len(np.unique(numbers)) > _FILLED_SHARE * len(numbers)


def plausible_range(expected: ColumnContract) -> tuple[float, float]:
    """Return the range that later files may fill: the learned one, half as wide again on both sides.

    A column that was never negative stays so, and a column of few whole numbers may grow by a little. A bound
    that was stated in `model.toml` counts exactly.
    """
    bottom, top = _learned_range(expected)
    if "minimum" in expected.stated and expected.minimum is not None:
        bottom = expected.minimum
    if "maximum" in expected.stated and expected.maximum is not None:
        top = expected.maximum
    return bottom, top


def _learned_range(expected: ColumnContract) -> tuple[float, float]:
    if expected.minimum is None or expected.maximum is None:
        return -np.inf, np.inf
    low, high = expected.minimum, expected.maximum
    slack = max(0.5 * (high - low), 0.5 * abs(high), 1.0)
    return (max(low - slack, 0.0) if low >= 0 else low - slack), high + slack


def plain(number: float) -> str:
    """Return a number as a message shows it."""
    return f"{number:g}"


def _extremes(numbers: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.fmin.reduce(numbers, initial=np.inf)), float(np.fmax.reduce(numbers, initial=-np.inf))
