"""Which rows, ids and labels repeat, from one 64-bit number per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import view_as_numbers, without_edges
from mlops.dataset.table.chunks import Chunk
from mlops.dataset.table.fields import text_keys
from mlops.dataset.table.occurrences import Occurrences

type Keys = NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
# reading the rows of repeated ids again costs less than a key of every row, unless they are many
_MANY_REPEATS = 0.1


class RowKeys:
    """Keys of the rows seen so far: of the ids, of everything but the target, of everything.

    Where ids do not repeat no row does, so rows are compared only when many ids repeat in the first chunk.
    When some repeat all the same, `must_compare_rows` requests another reading with `compares_rows`, of
    `lines_of_shared_ids` alone.

    Parameters
    ----------
    id_positions, target_position
        Which columns make up an id (may be none), which one is the target (may be None).
    decimal
        The decimal mark of numbers among text.
    compares_rows
        Whether rows are compared in any case; always so without an id.
    """

    def __init__(
        self,
        id_positions: Sequence[int],
        target_position: int | None,
        *,
        decimal: str = ".",
        compares_rows: bool = False,
    ) -> None:
        self._decimal = decimal
        self._ids = tuple(id_positions)
        self._target = target_position
        self._compares_rows = compares_rows or not self._ids
        self._id_keys: list[Keys] = []
        self._feature_keys: list[Keys] = []
        self._row_keys: list[Keys] = []
        self._lines: list[NDArray[np.int64] | range] = []
        self._parts: list[tuple[str, int]] = []

    def add(self, chunk: Chunk) -> None:
        """Take the rows of a chunk."""
        others = [position for position in sorted((*chunk.numbers, *chunk.texts)) if position != self._target]
        if not others:  # values of a lone column repeat by nature
            return
        if self._ids:
            id_keys = _combined(self._keys(chunk, self._ids))
            self._compares_rows |= not self._id_keys and float(_repeats(id_keys).mean()) > _MANY_REPEATS
            self._id_keys.append(id_keys)
        if self._compares_rows:
            features = _combined(self._keys(chunk, others))
            self._feature_keys.append(features)
            if self._target is not None:
                self._row_keys.append(_combined([features, *self._keys(chunk, [self._target])]))
        self._lines.append(_compact(chunk.lines))

    def _keys(self, chunk: Chunk, positions: Sequence[int]) -> list[Keys]:
        return [_column_keys(chunk, position, self._decimal) for position in positions]

    def export(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays, for `restored`."""
        lines = [np.asarray(lines, np.int64) for lines in self._lines]
        return {
            "ids": _joined(self._id_keys),
            "features": _joined(self._feature_keys),
            "rows": _joined(self._row_keys),
            "lines": np.concatenate(lines) if lines else np.zeros(0, np.int64),
        }

    def restored(self, arrays: Mapping[str, NDArray[Any]], part: str) -> RowKeys:
        """Return keys for the same columns with what `export` gave of one part.

        Without `features` among the arrays only ids are compared, and `must_compare_rows` says whether
        that is enough.
        """
        keys = RowKeys(self._ids, self._target, decimal=self._decimal)
        keys._compares_rows = not self._ids or "features" in arrays
        keys._parts = [(part, len(arrays["lines"]))]
        keys._lines = [_compact(arrays["lines"])]
        keys._id_keys = [arrays["ids"]]
        keys._feature_keys = [arrays["features"]] if "features" in arrays else []
        keys._row_keys = [arrays["rows"]] if "rows" in arrays and self._target is not None else []
        return keys

    def merged(self, later: RowKeys) -> RowKeys:
        """Return the keys of these rows and the later ones."""
        both = RowKeys(self._ids, self._target, decimal=self._decimal)
        both._compares_rows = self._compares_rows
        for name in ("_id_keys", "_feature_keys", "_row_keys", "_lines", "_parts"):
            setattr(both, name, [*getattr(self, name), *getattr(later, name)])
        return both

    @property
    def must_compare_rows(self) -> bool:
        """Whether ids repeat although none did at first, so that rows may repeat as well."""
        return not self._compares_rows and bool(self.repeated_ids())

    def lines_of_shared_ids(self) -> NDArray[np.int64]:
        """Return the lines of all rows that share their id with another row: only they can be equal."""
        lines: NDArray[np.int64] = np.concatenate([np.asarray(lines) for lines in self._lines])
        return lines[self._rows_of_shared_ids]

    def repeated_ids(self) -> Occurrences:
        """Rows whose id occurred in an earlier row."""
        return self._occurrences(self._repeated_ids)

    def repeated_rows(self) -> Occurrences:
        """Rows that equal an earlier row in every column."""
        return self._occurrences(self._repeated_rows if self._row_keys else self._repeated_features)

    def conflicting_labels(self) -> Occurrences:
        """Rows that equal an earlier row in everything but the target."""
        if not self._row_keys:
            return Occurrences()
        return self._occurrences(self._repeated_features & ~self._repeated_rows)

    @cached_property
    def _rows_of_shared_ids(self) -> NDArray[np.int64]:
        return _shared(_joined(self._id_keys))

    @cached_property
    def _repeated_ids(self) -> NDArray[np.bool_]:
        return _repeats(_joined(self._id_keys), self._rows_of_shared_ids)

    @cached_property
    def _repeated_features(self) -> NDArray[np.bool_]:
        return _repeats(_joined(self._feature_keys))

    @cached_property
    def _repeated_rows(self) -> NDArray[np.bool_]:
        return _repeats(_joined(self._row_keys))

    def _occurrences(self, repeated: NDArray[np.bool_]) -> Occurrences:
        occurrences = Occurrences()
        if repeated.any():
            occurrences.record(np.concatenate([np.asarray(lines) for lines in self._lines])[repeated])
            occurrences.parts = self._parts_of(np.flatnonzero(repeated)[: len(occurrences.lines)])
        return occurrences

    def _parts_of(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the part of each row; nothing when the table has none."""
        ends = np.cumsum([n_rows for _, n_rows in self._parts])
        return [self._parts[p][0] for p in np.searchsorted(ends, rows, side="right")] if self._parts else []


def _compact(lines: NDArray[np.int64]) -> NDArray[np.int64] | range:
    """Return the lines as a range where no record spans two and none was left out."""
    if not len(lines):
        return lines
    first, last = int(lines[0]), int(lines[-1])
    return range(first, last + 1) if last - first + 1 == len(lines) else lines


def _column_keys(chunk: Chunk, position: int, decimal: str) -> Keys:
    if position in chunk.numbers:
        return _number_keys(chunk.numbers[position])
    cells = chunk.texts[position]
    stripped = without_edges(cells.values)
    hashed = text_keys(stripped) if cells.keys is None or stripped is not cells.values else cells.keys
    if position in chunk.mixed:
        view = view_as_numbers(stripped, Notation(decimal))
        hashed = np.where(view.is_number | view.is_missing, _number_keys(view.numbers), hashed)
    keys: Keys = hashed[cells.codes]
    return keys


def _number_keys(numbers: NDArray[np.float64]) -> Keys:
    # adding 0.0 makes -0.0 equal to 0.0; all missing values share one bit pattern
    return _mixed(np.where(np.isnan(numbers), np.nan, numbers + 0.0).view(np.uint64))


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


def _shared(keys: Keys) -> NDArray[np.int64]:
    """Return the rows whose key occurs more than once."""
    ordered = np.sort(keys)  # far cheaper than their order, which is needed only where some repeat
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(several):
        return np.zeros(0, np.int64)
    places = np.minimum(np.searchsorted(several, keys), len(several) - 1)
    return np.flatnonzero(several[places] == keys)


def _repeats(keys: Keys, shared: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
    """Mark every key that occurred before."""
    repeated = np.zeros(len(keys), dtype=bool)
    rows = _shared(keys) if shared is None else shared
    rows = rows[np.argsort(keys[rows], kind="stable")]
    repeated[rows[1:]] = keys[rows[1:]] == keys[rows[:-1]]
    return repeated
