"""Which keys of a long sequence occur more than once, in little memory however long it is.

The keys are looked at in ranges of their values, one range after another: all equal keys are in one range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.validation.survey.spill import StoredArray

type Keys = NDArray[np.uint64]
type Marks = NDArray[np.bool_]

# a range of this many keys is sorted in some 80 MB
_KEYS_AT_ONCE = 2**22
# every range reads all keys again
_MAX_RANGES = 32
_KEY_BITS = 64


@dataclass(frozen=True, slots=True)
class Repeats:
    """One mark for each key: whether it occurs elsewhere as well, and whether it occurred before."""

    shared: Marks
    repeated: Marks


def find_repeats(pieces: Sequence[StoredArray], *, keys_at_once: int = _KEYS_AT_ONCE) -> Repeats:
    """Compare all keys.

    Parameters
    ----------
    pieces
        The keys (64-bit hashes) in the order of their rows.
    keys_at_once
        How many keys are sorted in memory.
    """
    n_keys = sum(map(len, pieces))
    repeats = Repeats(np.zeros(n_keys, np.bool_), np.zeros(n_keys, np.bool_))
    n_bits = _range_bits(n_keys, keys_at_once)
    max_keys = 2 * max(keys_at_once, n_keys >> n_bits)
    for number in range(2**n_bits):
        several = _several(pieces, number, n_bits, max_keys)
        if len(several):
            _mark(repeats, several, pieces, number, n_bits)
    return repeats


def _range_bits(n_keys: int, keys_at_once: int) -> int:
    n_ranges = min(-(-n_keys // keys_at_once), _MAX_RANGES)
    return max(n_ranges - 1, 0).bit_length()


def _several(pieces: Sequence[StoredArray], number: int, n_bits: int, max_keys: int) -> Keys:
    """Return the keys of a range that occur more than once, in order."""
    waiting: list[Keys] = []
    again: list[Keys] = []
    n_waiting = 0
    for piece in pieces:
        keys = piece.read()
        waiting.append(keys[_is_in_range(keys, number, n_bits)] if n_bits else keys)
        n_waiting += len(waiting[-1])
        if n_waiting > max_keys:  # few keys, each of them in many rows
            waiting = [_once(waiting, again)]
            again = [np.unique(np.concatenate(again))]
            n_waiting = len(waiting[0])
    _once(waiting, again)
    return np.unique(np.concatenate(again))


def _once(keys: Sequence[Keys], again: list[Keys]) -> Keys:
    """Return each key once, in order; those that occur several times are added to `again`."""
    ordered = np.concatenate([np.zeros(0, np.uint64), *keys])
    ordered.sort()
    is_again = np.zeros(len(ordered), np.bool_)
    is_again[1:] = ordered[1:] == ordered[:-1]
    again.append(ordered[is_again])
    return ordered[~is_again]


def _mark(repeats: Repeats, several: Keys, pieces: Sequence[StoredArray], number: int, n_bits: int) -> None:
    """Mark the rows of a range whose keys are among these."""
    occurred = np.zeros(len(several), np.bool_)
    for start, keys in _with_starts(pieces):
        rows = np.flatnonzero(_is_in_range(keys, number, n_bits))
        places = np.minimum(np.searchsorted(several, keys[rows]), len(several) - 1)
        is_shared = several[places] == keys[rows]
        rows, places = rows[is_shared] + start, places[is_shared]
        is_repeated = occurred[places]
        later = np.ones(len(places), np.bool_)
        later[np.unique(places, return_index=True)[1]] = False
        repeats.shared[rows] = True
        repeats.repeated[rows[is_repeated | later]] = True
        occurred[places] = True


def _with_starts(pieces: Sequence[StoredArray]) -> Iterator[tuple[int, Keys]]:
    start = 0
    for piece in pieces:
        yield start, piece.read()
        start += len(piece)


def _is_in_range(keys: Keys, number: int, n_bits: int) -> Marks:
    if not n_bits:
        return np.ones(len(keys), np.bool_)
    marks: Marks = keys >> np.uint64(_KEY_BITS - n_bits) == np.uint64(number)
    return marks
