"""The cells of a sheet: where its table begins and ends, and each cell as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain, dropwhile, islice

from mlops.dataset.conversion.refusal import refused

type SheetCell = str | float | int | bool | time | date | datetime | timedelta
type SheetRow = Sequence[SheetCell]

# calamine keeps the whole rectangle of a sheet in memory, empty cells as well
_MAX_CELLS = 40_000_000
_REFERENCE = re.compile(rb' r="([A-Z]{1,3})(\d{1,7})"')
_OVERLAP_BYTES = 32
_SAMPLE_ROWS = 200
_ERRORS = frozenset(
    ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)


@dataclass(slots=True)
class SheetCells:
    """The table of a sheet. Rows are numbered from 1 as Excel does, columns from 0.

    `header_row` is the row of the names; without a header, the row above the data.
    """

    header_row: int = 0
    title_rows: tuple[int, ...] = ()
    last_row: int = 0
    columns: tuple[int, ...] = ()
    names: list[str] = field(default_factory=list)
    _with_text: set[int] = field(default_factory=set)
    _with_others: set[int] = field(default_factory=set)
    _with_times: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, rows: Iterable[SheetRow], *, skip: int | None, has_header: bool) -> SheetCells:
        """Find the table among the rows of a sheet.

        Parameters
        ----------
        rows
            All rows from the first one of the sheet; columns without any cell are not part of the table.
        skip
            How many rows are above the table; None lets titles be recognised: they have fewer cells.
        """
        rest = dropwhile(lambda entry: entry[0] <= (skip or 0) or not _filled(entry[1]), enumerate(rows, 1))
        beginning = list(islice(rest, _SAMPLE_ROWS))
        if not beginning:
            return cls(header_row=skip or 0)
        start = _start(beginning) if skip is None else 0
        titles = tuple(number for number, row in beginning[:start] if _filled(row))
        first_row, first = beginning[start]
        cells = cls(first_row if has_header else first_row - 1, titles, first_row)
        used = set(_filled(first))
        for number, row in chain(beginning[start:], rest):
            if number > cells.header_row and (filled := _filled(row)):
                cells.last_row = number
                used.update(filled)
                cells._add_kinds(row, filled)
        cells.columns = tuple(sorted(used))
        header = first if has_header else ()
        cells.names = [_name(header[c]) if c < len(header) else "" for c in cells.columns]
        return cells

    @property
    def text_columns(self) -> tuple[int, ...]:
        """The positions in the table of the columns of which every cell is text."""
        texts = self._with_text - self._with_others
        return tuple(position for position, column in enumerate(self.columns) if column in texts)

    def rows(self, rows: Iterable[SheetRow]) -> Iterator[list[str | None]]:
        """Yield the rows of data as text, None where a cell is empty or an error of a formula."""
        for row in islice(rows, self.header_row, self.last_row):
            yield [
                _written(row[column], has_times=column in self._with_times) if column < len(row) else None
                for column in self.columns
            ]

    def _add_kinds(self, row: SheetRow, filled: Iterable[int]) -> None:
        for column in filled:
            cell = row[column]
            if isinstance(cell, str):
                self._with_text.add(column)
            else:
                self._with_others.add(column)
                if isinstance(cell, datetime):
                    self._with_times.add(column)


def refuse_wide_sheet(blocks: Iterable[bytes]) -> int:
    """Read the XML of a sheet and return its size; refuse one whose cells are far apart.

    Raises
    ------
    RefusalError
        If the rectangle that encloses all cells is too large to be kept in memory.
    """
    n_bytes, last_row, last_column, tail = 0, 1, b"A", b""
    for block in blocks:
        n_bytes += len(block)
        references = _REFERENCE.findall(tail + block)
        tail = block[-_OVERLAP_BYTES:]
        if references:
            last_row = max(last_row, *(int(row) for _, row in references))
            last_column = max(last_column, *{column for column, _ in references}, key=lambda c: (len(c), c))
    if last_row * _number(last_column) > _MAX_CELLS:
        message = (
            f"A sheet of the workbook goes on to cell {last_column.decode()}{last_row}, far from its table."
        )
        advice = "Delete the empty rows and columns beyond the table, or copy it to a new workbook."
        raise refused("too_large", message, advice=advice)
    return n_bytes


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - ord("A") + 1
    return number


def _start(beginning: Sequence[tuple[int, SheetRow]]) -> int:
    """Return the position of the header: the first row with more than half as many cells as the fullest."""
    counts = [len(_filled(row)) for _, row in beginning]
    return next(position for position, count in enumerate(counts) if count > max(counts) // 2)


def _name(cell: SheetCell) -> str:
    """Return a column name in one line: in a narrow column people break names."""
    return " ".join((_written(cell) or "").split())


def _filled(row: SheetRow) -> list[int]:
    return [column for column, cell in enumerate(row) if not isinstance(cell, str) or _is_value(cell)]


def _written(cell: SheetCell, *, has_times: bool = False) -> str | None:
    """Return a cell as text: whole numbers without a fraction, moments in ISO form."""
    match cell:
        case str():
            text = cell
        case bool():
            text = str(cell)  # `True`, as pandas writes it
        case float():
            text = str(int(cell)) if cell.is_integer() else repr(cell)
        case timedelta():
            seconds = round(cell.total_seconds())
            text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case date() if has_times and not isinstance(cell, datetime):
            text = f"{cell} 00:00:00"
        case _:
            text = str(cell)  # moments as 2024-01-31 10:05:06
    return text if _is_value(text) else None


def _is_value(text: str) -> bool:
    return text not in _ERRORS and not (text == "" or text.isspace())
