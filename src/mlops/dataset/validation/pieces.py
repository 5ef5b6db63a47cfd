"""The rows of a surveyed file, piece by piece, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.form.inspection import header_of
from mlops.dataset.table.cells import unreadable_numbers, view_as_missing, view_as_numbers
from mlops.dataset.table.chunks import Chunk, Plan, parse
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.records import RecordCutter
from mlops.dataset.table.table import UnreadableCells
from mlops.dataset.validation.survey.gathering import blocks_of, notations_of
from mlops.dataset.validation.survey.survey import Survey

type Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MarkedRows:
    """Some rows, and by column which of them have a cell that is no number where the column holds numbers.

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
    survey: Survey
    unreadable: Mapping[str, UnreadableCells]
    resources: ExitStack = field(default_factory=ExitStack)  # holds a converted file as long as the pieces

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (piece.frame for piece in self.marked())

    def marked(self) -> Iterator[MarkedRows]:
        """Yield the pieces, with the rows of each that could not be read; the index goes on through them."""
        n_rows = 0
        for chunk in _chunks(self.path, self.survey):
            columns = named_columns(self.survey)
            frame = frame_of({c.name: cells_of(chunk, c, self.survey) for c in columns})
            frame.index = pd.RangeIndex(n_rows, n_rows + len(frame))
            n_rows += len(frame)
            yield MarkedRows(frame, _unreadable(chunk, columns, self.survey))
        if n_rows == 0:
            yield MarkedRows(_no_rows(self.survey), {})


def named_columns(survey: Survey) -> list[ColumnProfile]:
    """Return the columns that have a name."""
    return [column for column in survey.columns if column.name]


def is_numeric(column: ColumnProfile, survey: Survey) -> bool:
    """Whether a column is read as numbers; ids stay text."""
    return column.is_numeric and column.name not in survey.id_names


def cells_of(chunk: Chunk, column: ColumnProfile, survey: Survey) -> NDArray[Any]:
    """Return a column of one block: numbers when all of the column is numbers, else stripped text."""
    if column.position in chunk.numbers:
        return chunk.numbers[column.position]
    cells = chunk.texts[column.position]
    if is_numeric(column, survey):
        numbers: NDArray[Any] = view_as_numbers(cells.values, column.notation).numbers[cells.codes]
        return numbers
    missing = view_as_missing(cells.values, column.notation.kept)
    clean = np.array(
        [np.nan if is_gap else value.strip() for value, is_gap in zip(cells.values, missing, strict=True)],
        dtype=object,
    )
    taken: NDArray[Any] = clean[cells.codes]
    return taken


def frame_of(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return the columns as a frame of their own dtypes; pandas 3 would make `object` into `str`."""
    cells = {name: pd.Series(values, dtype=values.dtype, copy=False) for name, values in columns.items()}
    return pd.DataFrame(cells, copy=False)


def _chunks(file: Path, survey: Survey) -> Iterator[Chunk]:
    """Yield the cells of each block of records."""
    dialect = _dialect(survey)
    plans: dict[int, Plan] = {
        c.position: "number" if is_numeric(c, survey) and c.notation.is_plain(dialect.decimal) else "text"
        for c in named_columns(survey)
    }
    columns = {column.position: column for column in survey.columns}
    tokens = {p: tuple(columns[p].tokens) for p, plan in plans.items() if plan == "number"}
    cutter = RecordCutter(dialect, header_of(file, survey.inspection, dialect.skipped_bytes), survey.limits)
    for block in blocks_of(file, survey.inspection, dialect, cutter):
        yield parse(block, dialect, plans, tokens, notations_of(survey))


def _unreadable(chunk: Chunk, columns: list[ColumnProfile], survey: Survey) -> dict[str, Marks]:
    """Mark the rows of each column of numbers whose cell is none; only what was read as text is looked at."""
    marks = {}
    for column in columns:
        if column.position in chunk.texts and is_numeric(column, survey):
            cells = chunk.texts[column.position]
            of_values = unreadable_numbers(cells.values, column.notation)
            if (of_rows := of_values[cells.codes]).any():
                marks[column.name] = of_rows
    return marks


def _no_rows(survey: Survey) -> pd.DataFrame:
    dtypes = {c.name: np.float64 if is_numeric(c, survey) else object for c in named_columns(survey)}
    return frame_of({name: np.empty(0, dtype) for name, dtype in dtypes.items()})


def _dialect(survey: Survey) -> Dialect:
    assert survey.dialect is not None  # noqa: S101  a file without one was refused
    return survey.dialect
