"""An even sample of the rows, of bounded size, for what cannot be judged from counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import view_as_missing, view_as_numbers
from mlops.dataset.table.chunks import Chunk

MAX_ROWS = 10_000
# a cell longer than this belongs to no category, so the rest of it decides nothing
_LONGEST_CELL = 200

# of one column: floats, or objects that are text, or floats where a part was read as numbers
type Cells = NDArray[Any]


class RowSample:
    """Every n-th row; n doubles whenever the sample grows too large, so it stays even over the file."""

    def __init__(self, decimal: str) -> None:
        self._decimal = decimal
        self._stride = 1
        self._n_seen = 0
        self._parts: list[Mapping[int, Cells]] = []
        self._rows: list[NDArray[np.int64]] = []

    def add(self, chunk: Chunk) -> None:
        """Take the rows of a chunk that fall on the stride."""
        rows = np.arange(self._n_seen, self._n_seen + len(chunk))
        self._n_seen += len(chunk)
        chosen = np.flatnonzero(rows % self._stride == 0)
        if len(chosen):
            columns: dict[int, Cells] = {p: numbers[chosen] for p, numbers in chunk.numbers.items()}
            columns |= {p: cells.at(chosen) for p, cells in chunk.texts.items()}
            self._parts.append(columns)
            self._rows.append(rows[chosen])
        if sum(map(len, self._rows)) > 2 * MAX_ROWS:
            self._thin()

    def _thin(self) -> None:
        self._stride *= 2
        keep = [rows % self._stride == 0 for rows in self._rows]
        self._parts = [
            {p: cells[mask] for p, cells in part.items()}
            for part, mask in zip(self._parts, keep, strict=True)
        ]
        self._rows = [rows[mask] for rows, mask in zip(self._rows, keep, strict=True)]

    def export(self, stride: int = 1) -> dict[int, list[float] | list[str]]:
        """Return the rows of the sample that fall on `stride`, column by column, for `restored`."""
        if not self._parts:
            return {}
        keep = np.concatenate(self._rows) % stride == 0
        return {position: _plain(self._whole(position)[keep]) for position in self._parts[0]}

    @classmethod
    def restored(cls, columns: Mapping[int, Sequence[float] | Sequence[str]], decimal: str) -> RowSample:
        """Return a sample of the rows that `export` gave."""
        sample = cls(decimal)
        if columns:
            part = {
                p: np.asarray(c, object if isinstance(c[0], str) else np.float64) for p, c in columns.items()
            }
            sample._parts, sample._rows = [part], [np.arange(len(next(iter(part.values()))))]
        return sample

    def merged(self, later: RowSample) -> RowSample:
        """Return the rows of both; they are as even as the two strides were equal."""
        both = RowSample(self._decimal)
        both._parts, both._rows = [*self._parts, *later._parts], [*self._rows, *later._rows]
        return both

    def column(self, position: int, *, is_numeric: bool, notation: Notation | None = None) -> pd.Series:
        """Return a column of the sample: floats, or stripped text with None where it is missing."""
        notation = notation or Notation(self._decimal)
        if not self._parts:
            return pd.Series(dtype=np.float64 if is_numeric else object)
        if is_numeric:
            return pd.Series(np.concatenate([_numbers(part[position], notation) for part in self._parts]))
        whole = self._whole(position)
        if whole.dtype != object:
            return pd.Series(whole).map(lambda number: f"{number:g}")
        codes, values = pd.factorize(whole, use_na_sentinel=False)
        texts = [str(value) for value in values]
        missing = view_as_missing(texts, notation.kept)
        clean = np.array(
            [None if m else t.strip() for t, m in zip(texts, missing, strict=True)], dtype=object
        )
        return pd.Series(clean[codes], dtype=object)

    def is_filled(self, position: int, notation: Notation) -> NDArray[np.bool_]:
        """Mark the cells of a column of text that are not missing; most texts occur once."""
        if not self._parts:
            return np.zeros(0, dtype=bool)
        cells = self._whole(position)
        if cells.dtype != object:
            return ~np.isnan(cells)
        return ~view_as_missing([str(cell) for cell in cells], notation.kept)

    def _whole(self, position: int) -> Cells:
        return np.concatenate([part[position] for part in self._parts])


def _numbers(cells: Cells, notation: Notation) -> Cells:
    return cells if cells.dtype != object else view_as_numbers(cells.tolist(), notation).numbers


def _plain(cells: Cells) -> list[float] | list[str]:
    if cells.dtype != object:
        numbers: list[float] = cells.tolist()
        return numbers
    return [str(cell)[:_LONGEST_CELL] for cell in cells]
