"""How the rows of a file are read, as the survey of the whole file decided: small enough to be stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.form.inspection import header_of
from mlops.dataset.limits import Limits
from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import stripped_as_missing, view_as_numbers
from mlops.dataset.table.chunks import Chunk, Plan, parse
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.fields import Block, Texts
from mlops.dataset.table.records import RecordCutter
from mlops.dataset.table.values import categories
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ColumnPlan(Record):
    """How the cells of one column are read; `tokens` are its spellings of a missing number."""

    position: int
    name: str
    is_number: bool
    notation: Notation
    tokens: tuple[str, ...] = ()

    def parsing(self, decimal: str) -> Plan:
        """Return how its cells are parsed in a file with that decimal mark."""
        return "number" if self.is_number and self.notation.is_plain(decimal) else "text"

    def cells(self, chunk: Chunk) -> NDArray[Any]:
        """Return the column of one block: numbers when all of the column is numbers, else stripped text."""
        if self.position in chunk.numbers:
            return chunk.numbers[self.position]
        cells = chunk.texts[self.position]
        values = self._numbers(cells) if self.is_number else self._texts(cells)
        taken: NDArray[Any] = values[cells.codes]
        return taken

    def typed_cells(self, chunk: Chunk) -> NDArray[Any] | pd.Categorical:
        """Return the column of one block as `cells` does, but text as categories: each is looked at once."""
        if self.is_number:
            return self.cells(chunk)
        cells = chunk.texts[self.position]
        if self._are_clean(cells):
            return pd.Categorical.from_codes(cells.codes, categories(cells.values))
        codes, values = pd.factorize(self._texts(cells))
        return pd.Categorical.from_codes(np.append(codes, -1)[cells.codes], categories(values))

    def _are_clean(self, cells: Texts) -> bool:
        """Whether the values are texts as they are: none means "missing" or has a space at its ends."""
        is_as_written = cells.stripped is cells.values or cells.stripped == cells.values
        return is_as_written and not stripped_as_missing(cells.values, self.notation.kept).any()

    def _numbers(self, cells: Texts) -> NDArray[np.float64]:
        return view_as_numbers(cells.values, self.notation).numbers

    def _texts(self, cells: Texts) -> NDArray[np.object_]:
        missing = stripped_as_missing(cells.stripped, self.notation.kept)
        return np.array(
            [np.nan if is_gap else text for text, is_gap in zip(cells.stripped, missing, strict=True)], object
        )


@dataclass(frozen=True, slots=True)
class ReadingPlan(Record):
    """What is needed to read the rows of a file, or some of them, as they are read in the whole file.

    `header` is the line with the names, so that a repetition of it is recognised; `columns` are those that
    have a name.
    """

    dialect: Dialect
    header: str
    columns: tuple[ColumnPlan, ...]
    limits: Limits

    def cutter(self) -> RecordCutter:
        """Return what cuts the text after the header into records."""
        return RecordCutter(self.dialect, self.header.encode(), self.limits)

    def parse(self, block: Block) -> Chunk:
        """Return the cells of a block of records."""
        columns, decimal = self.columns, self.dialect.decimal
        plans = {column.position: column.parsing(decimal) for column in columns}
        tokens = {c.position: c.tokens for c in columns if plans[c.position] == "number"}
        return parse(block, self.dialect, plans, tokens, {c.position: c.notation for c in columns})

    def reads_like(self, other: Self) -> bool:
        """Whether both read the same cells of every block; spellings of missing numbers need no plan."""
        return self._without_tokens() == other._without_tokens()

    def _without_tokens(self) -> Self:
        return replace(self, columns=tuple(replace(column, tokens=()) for column in self.columns))


def plan_reading(path: Path, survey: Survey) -> ReadingPlan:
    """Return how the rows of a surveyed file are read."""
    dialect = survey.dialect
    assert dialect is not None  # noqa: S101  a file without one was refused
    header = header_of(path, survey.inspection, dialect.skipped_bytes).decode("utf-8", "replace")
    return ReadingPlan(dialect, header, column_plans(survey), survey.limits)


def column_plans(survey: Survey) -> tuple[ColumnPlan, ...]:
    """Return how the columns are read that have a name; ids stay text."""
    return tuple(
        ColumnPlan(
            column.position,
            column.name,
            column.is_numeric and column.name not in survey.id_names,
            column.notation,
            tuple(column.tokens),
        )
        for column in named_columns(survey)
    )


def named_columns(survey: Survey) -> list[ColumnProfile]:
    """Return the columns that have a name."""
    return [column for column in survey.columns if column.name]
