"""Counting a million numbers into a hundred bins, exactly, in a few nanoseconds each.

A table of 32,768 equal slots over the middle of the range gives for most values at once the bin that they are
in: measured 6 ns a value, against 70 ns for a binary search. Only values whose slot holds an end of a bin
are searched for. The slot of a value never decreases with the value, so the result is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.monitoring.statistics.shares import Floats

_N_SLOTS = 32_768
_FEW_EDGES = 45  # twenty single values have two ends each
_BLOCK_ROWS = 16_384  # 128 KiB of floats: the block and its slots stay in the second-level cache


@dataclass(frozen=True, slots=True)
class BinCounts:
    """Rows per bin, and what else was counted; `minimum` and `maximum` are of the finite values."""

    counts: NDArray[np.int64]
    n_missing: int
    minimum: float | None
    maximum: float | None


class BinCounter:
    """Counts numbers into the right-closed bins between the given ends.

    Parameters
    ----------
    edges
        The inner ends, ascending; the outer bins are open. No edges is one bin for everything.
    """

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = np.asarray(edges, dtype=float)
        self._low, self._scale = _slots_over(self._edges)
        with np.errstate(over="ignore", invalid="ignore"):
            slots = _slots(self._edges, self._low, self._scale)
        self._bin_of_slot, self._is_mixed = _tabulate(slots)
        # whole numbers are often ends themselves, which saves the search for them
        has_values_at_ends = np.count_nonzero(self._edges == np.floor(self._edges)) > len(self._edges) // 4
        self._end_in_slot = _last_ends(self._edges, slots) if has_values_at_ends else None

    def count(self, values: NDArray[Any]) -> BinCounts:
        """Count the values; NaN is missing, infinite values are in the outer bins."""
        counts = np.zeros(len(self._edges) + 1, dtype=np.int64)
        lowest, highest = np.inf, -np.inf
        # numbers too far out for the arithmetic of the slots become NaN there and are searched for
        with np.errstate(over="ignore", invalid="ignore"):
            for block in _blocks(values):
                bins = self._bins(block)
                counts += np.bincount(bins, minlength=len(counts) + 1)[: len(counts)]
                lowest = np.fmin(lowest, np.fmin.reduce(block))
                highest = np.fmax(highest, np.fmax.reduce(block))
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            lowest, highest = _finite_range(values)
        n_missing = len(values) - int(counts.sum())
        return BinCounts(counts, n_missing, _finite(lowest), _finite(highest))

    def _bins(self, block: NDArray[Any]) -> NDArray[np.int16]:
        """Return the bin of each value; NaN gets the number after the last bin."""
        slots = _slots(block, self._low, self._scale)
        bins = self._bin_of_slot.take(slots)
        is_doubtful = self._is_mixed.take(slots)
        if self._end_in_slot is not None:
            is_doubtful &= self._end_in_slot.take(slots) != block
        doubtful = np.flatnonzero(is_doubtful)
        if len(doubtful):
            searched = block[doubtful]
            places = np.searchsorted(self._edges, searched, side="left")
            bins[doubtful] = np.where(np.isnan(searched), len(self._edges) + 1, places)
        return bins


def _tabulate(slots: NDArray[np.intp]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return per slot its bin, and whether it holds ends of bins, of which `slots` are the slots.

    In a mixed slot the bin is the one of the last end in it, for values that equal this end. Slot 0 counts as
    mixed because NaN lands there.
    """
    is_mixed = np.zeros(_N_SLOTS, dtype=np.bool_)
    is_mixed[slots] = True
    is_mixed[0] = True
    # the bin of a pure slot is the number of ends before it
    bins = np.cumsum(np.bincount(slots, minlength=_N_SLOTS), dtype=np.int16)
    bins[slots] -= 1
    return bins, is_mixed


def _last_ends(edges: Floats, slots: NDArray[np.intp]) -> Floats:
    """Return per slot the last end of a bin in it, NaN in those without one."""
    ends = np.full(_N_SLOTS, np.nan)
    ends[slots] = edges
    return ends


def _slots_over(edges: Floats) -> tuple[np.float64, np.float64]:
    """Return the low end of the slots and the slots per unit.

    The outer ends catch outliers and may be so far out that all others would share a slot: where there are
    many ends, the slots cover twice the range of the inner three quarters.
    """
    n_outer = len(edges) // 8 if len(edges) > _FEW_EDGES else 0
    low, high = (edges[n_outer], edges[-1 - n_outer]) if len(edges) else np.zeros(2)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        beyond = (high - low) / 2.0 if n_outer else np.float64(0.0)
        scale = _N_SLOTS / (high - low + 2.0 * beyond)
        start = low - beyond
    return (start, scale) if np.isfinite([start, scale]).all() else (low, np.float64(1.0))


def _slots(values: NDArray[Any], low: np.float64, scale: np.float64) -> NDArray[np.intp]:
    """Return the slot of each value, clipped to the table; NaN goes to slot 0."""
    position = np.subtract(values, low, dtype=np.float64)
    position *= scale
    np.fmax(position, 0.0, out=position)
    np.fmin(position, _N_SLOTS - 1.0, out=position)
    slots: NDArray[np.intp] = position.astype(np.intp)
    return slots


def _blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(values), _BLOCK_ROWS):
        yield values[start : start + _BLOCK_ROWS]


def _finite_range(values: NDArray[Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
