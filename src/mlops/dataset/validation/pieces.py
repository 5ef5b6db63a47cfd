"""The rows of a surveyed file, piece by piece, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.form.inspection import Inspection, open_blocks, without_start
from mlops.dataset.table.cells import unreadable_numbers
from mlops.dataset.table.chunks import Chunk
from mlops.dataset.table.table import UnreadableCells
from mlops.dataset.validation.reading_plan import ColumnPlan, ReadingPlan

type Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MarkedRows:
    """Some rows, and by column which of them have a cell that is not a number in a column of numbers.

    Such a cell is NaN in the frame. Columns without one are left out.
    """

    frame: pd.DataFrame
    unreadable: Mapping[str, Marks]

    def part(self, start: int, stop: int) -> MarkedRows:
        """Return the rows from position `start` to before `stop`."""
        marks = {name: of_rows[start:stop] for name, of_rows in self.unreadable.items()}
        return MarkedRows(self.frame.iloc[start:stop], marks)


@dataclass(frozen=True, slots=True)
class TablePieces:
    """The rows of a file, piece by piece, and by column the cells that could not be read."""

    path: Path
    inspection: Inspection
    plan: ReadingPlan
    unreadable: Mapping[str, UnreadableCells]
    resources: ExitStack = field(default_factory=ExitStack)  # holds a converted file as long as the pieces

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (piece.frame for piece in self.plain())

    def plain(self) -> Iterator[MarkedRows]:
        """Yield the pieces as `marked` does, with text as strings in columns of `object`."""
        texts = {column.name: object for column in self.plan.columns if not column.is_number}
        return (MarkedRows(piece.frame.astype(texts), piece.unreadable) for piece in self.marked())

    def marked(self) -> Iterator[MarkedRows]:
        """Yield the pieces, with the rows of each that could not be read; a file without rows has one.

        Text is categories here.
        """
        has_rows = False
        for rows in marked_rows(self.text(), self.plan):
            has_rows = True
            yield rows
        if not has_rows:
            yield MarkedRows(_no_rows(self.plan), {})

    def text(self) -> Iterator[bytes]:
        """Yield the text after the header, as UTF-8."""
        return without_start(open_blocks(self.path, self.inspection), self.plan.dialect.skipped_bytes)


def marked_rows(text: Iterable[bytes], plan: ReadingPlan, *, n_before: int = 0) -> Iterator[MarkedRows]:
    """Yield the rows of each block of text; the index counts them, from `n_before` on, through all blocks."""
    for block in plan.cutter().cut(text):
        yield rows_of(plan.parse(block), plan, n_before)
        n_before += len(block.lines)


def rows_of(chunk: Chunk, plan: ReadingPlan, n_before: int) -> MarkedRows:
    """Return the rows of a block of which the cells were parsed; `n_before` rows are before it."""
    frame = frame_of({column.name: column.typed_cells(chunk) for column in plan.columns})
    frame.index = pd.RangeIndex(n_before, n_before + len(frame))
    return MarkedRows(frame, _unreadable(chunk, plan.columns))


def frame_of(columns: Mapping[str, NDArray[Any] | pd.Categorical]) -> pd.DataFrame:
    """Return the columns as a frame of their own dtypes; pandas 3 would make `object` into `str`."""
    cells = {
        name: pd.Series(values, dtype=object, copy=False) if values.dtype == object else values
        for name, values in columns.items()
    }
    return pd.DataFrame(cells, copy=False)


def _unreadable(chunk: Chunk, columns: Iterable[ColumnPlan]) -> dict[str, Marks]:
    """Mark the rows of each column of numbers whose cell is none; only what was read as text is looked at."""
    marks = {}
    for column in columns:
        if column.position in chunk.texts and column.is_number:
            cells = chunk.texts[column.position]
            of_values = unreadable_numbers(cells.values, column.notation)
            if (of_rows := of_values[cells.codes]).any():
                marks[column.name] = of_rows
    return marks


def _no_rows(plan: ReadingPlan) -> pd.DataFrame:
    dtypes = {column.name: np.float64 if column.is_number else object for column in plan.columns}
    return frame_of({name: np.empty(0, dtype) for name, dtype in dtypes.items()})
