"""The range of a column of numbers: with and without what stands for "missing", and what lies outside."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.table.cells import SAFE_INTEGER
from mlops.dataset.table.occurrences import Occurrences
from mlops.models.dataset import ColumnContract

# what exports write for "missing" in a column of numbers
SENTINELS = (-99999.0, -9999.0, -999.0, -998.0, -99.0, -9.0, -1.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)


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
        self, numbers: NDArray[np.float64], lines: NDArray[np.int64], known: ColumnContract | None
    ) -> None:
        """Take numbers, NaN where missing; those outside of what the contract expects are noted."""
        low, high = _extremes(numbers)
        if low == -np.inf or (high == np.inf and np.isinf(numbers).any()):
            infinite = np.isinf(numbers)
            self.infinite.note(lines[infinite], ("infinity",))
            numbers = np.where(infinite, np.nan, numbers)
            low, high = _extremes(numbers)
        self._add_extremes(numbers, low, high, lines)
        if max(-low, high) >= SAFE_INTEGER:
            large = np.abs(numbers) >= SAFE_INTEGER
            self.large.note(lines[large], map(plain, numbers[large][:3].tolist()))
        if known is not None and (known.minimum is not None or known.maximum is not None):
            bottom, top = plausible_range(known)
            if low < bottom or high > top:
                outside = (numbers < bottom) | (numbers > top)
                self.outside.note(lines[outside], map(plain, numbers[outside][:3].tolist()))

    def _add_extremes(
        self, numbers: NDArray[np.float64], low: float, high: float, lines: NDArray[np.int64]
    ) -> None:
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        if low in SENTINELS or high in SENTINELS:
            for sentinel in SENTINELS:
                found = numbers == sentinel
                if found.any():
                    self.sentinels.setdefault(sentinel, Occurrences()).note(lines[found])
            low, high = _extremes(numbers[~np.isin(numbers, SENTINELS)])
        self.typical_minimum = min(self.typical_minimum, low)
        self.typical_maximum = max(self.typical_maximum, high)


def plausible_range(known: ColumnContract) -> tuple[float, float]:
    """Return the range that later files may fill: the learned one, half as wide again on both sides.

    A column that was never negative stays so, and a column of few whole numbers may grow by a little. A bound
    that was stated in `model.toml` counts exactly.
    """
    bottom, top = _learned_range(known)
    if "minimum" in known.stated and known.minimum is not None:
        bottom = known.minimum
    if "maximum" in known.stated and known.maximum is not None:
        top = known.maximum
    return bottom, top


def _learned_range(known: ColumnContract) -> tuple[float, float]:
    if known.minimum is None or known.maximum is None:
        return -np.inf, np.inf
    low, high = known.minimum, known.maximum
    slack = max(0.5 * (high - low), 0.5 * abs(high), 1.0)
    return (max(low - slack, 0.0) if low >= 0 else low - slack), high + slack


def plain(number: float) -> str:
    """Return a number as a message shows it."""
    return f"{number:g}"


def _extremes(numbers: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.fmin.reduce(numbers, initial=np.inf)), float(np.fmax.reduce(numbers, initial=-np.inf))
