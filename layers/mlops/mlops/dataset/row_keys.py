"""Which rows, ids and labels repeat, from one 64-bit number per row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.chunks import Chunk
from mlops.dataset.sightings import Sightings

type Keys = NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


class RowKeys:
    """Keys of the rows seen so far: of the ids, of everything but the target, of everything.

    Parameters
    ----------
    id_positions, target_position
        Which columns make up an id (may be none), which one is the target (may be None).
    """

    def __init__(self, id_positions: Sequence[int], target_position: int | None) -> None:
        self._ids = tuple(id_positions)
        self._target = target_position
        self._id_keys: list[Keys] = []
        self._feature_keys: list[Keys] = []
        self._row_keys: list[Keys] = []
        self._lines: list[NDArray[np.int64]] = []

    def add(self, chunk: Chunk) -> None:
        """Take the rows of a chunk."""
        keys = {position: _column_keys(chunk, position) for position in (*chunk.numbers, *chunk.texts)}
        others = [key for position, key in keys.items() if position != self._target]
        if not others:  # values of a lone column repeat by nature
            return
        features = _combined(others)
        self._feature_keys.append(features)
        if self._target is not None:
            self._row_keys.append(_combined([features, keys[self._target]]))
        if self._ids:
            self._id_keys.append(_combined([keys[position] for position in self._ids]))
        self._lines.append(chunk.lines)

    def repeated_ids(self) -> Sightings:
        """Rows whose id stood in an earlier row."""
        return self._sightings(_repeats(_joined(self._id_keys)))

    def repeated_rows(self) -> Sightings:
        """Rows that equal an earlier row in every column."""
        if self._are_ids_unique():
            return Sightings()
        return self._sightings(_repeats(_joined(self._row_keys or self._feature_keys)))

    def conflicting_labels(self) -> Sightings:
        """Rows that equal an earlier row in everything but the target."""
        if self._target is None or self._are_ids_unique():
            return Sightings()
        return self._sightings(_repeats(_joined(self._feature_keys)) & ~_repeats(_joined(self._row_keys)))

    def _are_ids_unique(self) -> bool:
        """Whether no id repeats: then no row does."""
        return bool(self._id_keys) and not self.repeated_ids()

    def _sightings(self, repeated: NDArray[np.bool_]) -> Sightings:
        found = Sightings()
        if repeated.any():
            found.note(np.concatenate(self._lines)[repeated])
        return found


def _column_keys(chunk: Chunk, position: int) -> Keys:
    if position in chunk.numbers:
        # adding 0.0 makes -0.0 equal to 0.0; all missing values share one bit pattern
        bits = np.where(np.isnan(chunk.numbers[position]), np.nan, chunk.numbers[position] + 0.0)
        return _mixed(bits.view(np.uint64))
    cells = chunk.texts[position]
    hashed: Keys = pd.util.hash_array(
        np.asarray(cells.categories.str.strip(), dtype=object), categorize=False
    )
    keys: Keys = hashed[cells.codes]
    return keys


def _combined(keys: Sequence[Keys]) -> Keys:
    total = np.zeros(len(keys[0]), np.uint64)
    for key in keys:
        total = _mixed(total * _ODD + key)
    return total


def _mixed(keys: Keys) -> Keys:
    mixed: Keys = (keys ^ (keys >> _SHIFT)) * _MIX
    return mixed


def _joined(keys: Sequence[Keys]) -> Keys:
    return np.concatenate(keys) if keys else np.zeros(0, np.uint64)


def _repeats(keys: Keys) -> NDArray[np.bool_]:
    """Mark every key that occurred before."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    repeated = np.zeros(len(keys), dtype=bool)
    repeated[order[1:]] = ordered[1:] == ordered[:-1]
    return repeated
