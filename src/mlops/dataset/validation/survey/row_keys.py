"""Which rows, ids and labels repeat, from one 64-bit number per row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import view_as_numbers
from mlops.dataset.table.chunks import Chunk
from mlops.dataset.table.fields import text_keys
from mlops.dataset.table.mixing import mixed
from mlops.dataset.table.occurrences import MAX_LINES, Occurrences
from mlops.dataset.validation.survey.repeats import Keys, Marks, Repeats, find_repeats
from mlops.dataset.validation.survey.spill import Spill, StoredArray

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# reading the rows of repeated ids again costs less than a key of every row, unless they are many
_MANY_REPEATS = 0.1
_MANY_LINES = 1_000_000
_PIECE_ROWS = 2**18


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
    spill
        Where the keys are stored; keys that are merged share one.
    max_lines
        How many lines of rows that repeat are named.
    """

    def __init__(
        self,
        id_positions: Sequence[int],
        target_position: int | None,
        *,
        decimal: str = ".",
        compares_rows: bool = False,
        spill: Spill | None = None,
        max_lines: int = MAX_LINES,
    ) -> None:
        self._decimal = decimal
        self._ids = tuple(id_positions)
        self._target = target_position
        self._compares_rows = compares_rows or not self._ids
        self._spill = spill or Spill()
        self._max_lines = max_lines
        self._id_keys: list[StoredArray] = []
        self._feature_keys: list[StoredArray] = []
        self._row_keys: list[StoredArray] = []
        self._lines: list[StoredArray | range] = []
        self._parts: list[tuple[str, int]] = []

    def add(self, chunk: Chunk) -> None:
        """Take the rows of a chunk."""
        others = [position for position in sorted((*chunk.numbers, *chunk.texts)) if position != self._target]
        if not others:  # values of a lone column repeat by nature
            return
        if self._ids:
            id_keys = _combined(self._keys(chunk, self._ids))
            self._compares_rows |= not self._id_keys and _has_many_repeats(id_keys)
            self._id_keys.append(self._spill.store(id_keys))
        if self._compares_rows:
            features = _combined(self._keys(chunk, others))
            self._feature_keys.append(self._spill.store(features))
            if self._target is not None:
                rows = _combined([features, *self._keys(chunk, [self._target])])
                self._row_keys.append(self._spill.store(rows))
        self._lines.append(self._compact(chunk.lines))

    def _keys(self, chunk: Chunk, positions: Sequence[int]) -> list[Keys]:
        return [_column_keys(chunk, position, self._decimal) for position in positions]

    def _compact(self, lines: NDArray[np.int64]) -> StoredArray | range:
        """Return the lines as a range where no record spans two and none was left out."""
        if len(lines) and int(lines[-1]) - int(lines[0]) + 1 == len(lines):
            return range(int(lines[0]), int(lines[-1]) + 1)
        return self._spill.store(lines)

    def export(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield everything as arrays by name, one after another, for `restored`."""
        yield "ids", _joined(self._id_keys, np.uint64)
        yield "features", _joined(self._feature_keys, np.uint64)
        yield "rows", _joined(self._row_keys, np.uint64)
        yield "lines", _joined(self._lines, np.int64)

    def restored(self, arrays: Mapping[str, NDArray[Any]], names: Collection[str], part: str) -> RowKeys:
        """Return keys for the same columns with what `export` gave of one part.

        Without `features` among the names only ids are compared, and `must_compare_rows` says whether
        that is enough.
        """
        keys = self._empty()
        keys._compares_rows = not self._ids or "features" in names
        lines = arrays["lines"]
        keys._parts = [(part, len(lines))]
        keys._lines = [keys._compact(piece) for piece in _pieces(lines)]
        keys._id_keys = keys._stored(arrays["ids"])
        keys._feature_keys = keys._stored(arrays["features"]) if "features" in names else []
        keys._row_keys = keys._stored(arrays["rows"]) if "rows" in names and self._target is not None else []
        return keys

    def _empty(self) -> RowKeys:
        return RowKeys(
            self._ids, self._target, decimal=self._decimal, spill=self._spill, max_lines=self._max_lines
        )

    def _stored(self, keys: Keys) -> list[StoredArray]:
        return [self._spill.store(piece) for piece in _pieces(keys)]

    def merged(self, later: RowKeys) -> RowKeys:
        """Return the keys of these rows and the later ones."""
        both = self._empty()
        both._compares_rows = self._compares_rows
        for name in ("_id_keys", "_feature_keys", "_row_keys", "_lines", "_parts"):
            setattr(both, name, [*getattr(self, name), *getattr(later, name)])
        return both

    @property
    def must_compare_rows(self) -> bool:
        """Whether ids repeat although none did at first, so that rows may repeat as well."""
        return not self._compares_rows and bool(self._id_repeats.repeated.any())

    def lines_of_shared_ids(self) -> NDArray[np.int64] | None:
        """Return the lines of all rows that share their id with another row: only they can be equal.

        None when they are so many that all rows may as well be compared.
        """
        shared = self._id_repeats.shared
        if int(shared.sum()) > _MANY_LINES:
            return None
        return np.concatenate([lines[marks] for lines, marks in self._marked_lines(shared)])

    def repeated_ids(self) -> Occurrences:
        """Rows whose id occurred in an earlier row."""
        return self._occurrences(self._id_repeats.repeated)

    def repeated_rows(self) -> Occurrences:
        """Rows that equal an earlier row in every column."""
        return self._occurrences(self._row_repeats if self._row_keys else self._feature_repeats)

    def conflicting_labels(self) -> Occurrences:
        """Rows that equal an earlier row in everything but the target."""
        if not self._row_keys:
            return Occurrences()
        return self._occurrences(self._feature_repeats & ~self._row_repeats)

    @cached_property
    def _id_repeats(self) -> Repeats:
        return find_repeats(self._id_keys)

    @cached_property
    def _feature_repeats(self) -> Marks:
        return find_repeats(self._feature_keys).repeated

    @cached_property
    def _row_repeats(self) -> Marks:
        return find_repeats(self._row_keys).repeated

    def _occurrences(self, repeated: Marks) -> Occurrences:
        occurrences = Occurrences(max_lines=self._max_lines)
        if not repeated.any():
            return occurrences
        first = 0  # row of the piece
        for lines, marks in self._marked_lines(repeated):
            rows = np.flatnonzero(marks)[: self._max_lines - len(occurrences.lines)] + first
            occurrences.parts += self._parts_of(rows)
            occurrences.record(lines[marks])
            first += len(lines)
        return occurrences

    def _marked_lines(self, marks: Marks) -> Iterator[tuple[NDArray[np.int64], Marks]]:
        """Yield the lines of all rows piece by piece, with their marks."""
        start = 0
        for piece in self._lines if len(marks) else ():
            yield _as_array(piece), marks[start : start + len(piece)]
            start += len(piece)

    def _parts_of(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the part of each row; nothing when the table has none."""
        ends = np.cumsum([n_rows for _, n_rows in self._parts])
        return [self._parts[p][0] for p in np.searchsorted(ends, rows, side="right")] if self._parts else []


def _as_array(piece: StoredArray | range) -> NDArray[Any]:
    return np.asarray(piece, np.int64) if isinstance(piece, range) else piece.read()


def _joined(pieces: Sequence[StoredArray | range], dtype: type[np.generic]) -> NDArray[Any]:
    whole, start = np.empty(sum(map(len, pieces)), dtype), 0
    for piece in pieces:
        whole[start : start + len(piece)] = _as_array(piece)
        start += len(piece)
    return whole


def _pieces(array: NDArray[Any]) -> list[NDArray[Any]]:
    return [array[start : start + _PIECE_ROWS] for start in range(0, len(array), _PIECE_ROWS)]


def _has_many_repeats(keys: Keys) -> bool:
    return len(keys) - len(np.unique(keys)) > _MANY_REPEATS * len(keys)


def _column_keys(chunk: Chunk, position: int, decimal: str) -> Keys:
    if position in chunk.numbers:
        return _number_keys(chunk.numbers[position])
    cells = chunk.texts[position]
    stripped = cells.stripped
    hashed = text_keys(stripped) if cells.keys is None or stripped is not cells.values else cells.keys
    if position in chunk.mixed:
        view = view_as_numbers(stripped, Notation(decimal))
        hashed = np.where(view.is_number | view.is_missing, _number_keys(view.numbers), hashed)
    keys: Keys = hashed[cells.codes]
    return keys


def _number_keys(numbers: NDArray[np.float64]) -> Keys:
    # adding 0.0 makes -0.0 equal to 0.0; all missing values share one bit pattern
    return mixed(np.where(np.isnan(numbers), np.nan, numbers + 0.0).view(np.uint64))


def _combined(keys: Sequence[Keys]) -> Keys:
    total = np.zeros(len(keys[0]), np.uint64)
    for key in keys:
        total = mixed(total * _MULTIPLIER + key)
    return total
