"""Where the table begins: which record holds the column names, and what is above it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlops.dataset.form.delimiters import read_csv
from mlops.dataset.form.quoting import Syntax

_MAX_RECORDS = 400
_NEWLINE = 10
# digits with the signs that numbers, dates and times have
_VALUE = re.compile(r"[+-]?[\d.,:/' \u00a0-]*\d[\d.,:/ \u00a0%eETZ+-]*")
_MANY = 0.5
_MIN_ROWS = 2  # fewer do not show that a header is short


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the beginning of the text: where it starts and ends, its line, its cells."""

    start: int
    end: int
    line: int
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many cells it has."""
        return len(self.cells)

    @property
    def n_filled(self) -> int:
        """How many cells are not empty."""
        return sum(bool(cell.strip()) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class TableStart:
    """Which record is the first of the table, the header or, without one, a row.

    `is_short` says that the header has a name less than the rows have cells; `is_unclosed` that it is because
    every row ends in a delimiter. `wider` is a later record at which the table seems to begin, when that is
    not certain.
    """

    position: int = 0
    is_short: bool = False
    is_unclosed: bool = False
    wider: Record | None = None


def read_records(text: bytes, syntax: Syntax, *, line: int) -> list[Record]:
    """Return the first records of a text that begins on that line; blank lines are left out."""
    octets = np.frombuffer(text, np.uint8)
    quotes = syntax.marks(text, octets).quotes
    newlines = np.flatnonzero(octets == _NEWLINE)
    ends = (newlines[np.searchsorted(quotes, newlines) % 2 == 0] + 1)[:_MAX_RECORDS].tolist()
    if not ends or (ends[-1] < len(text) and len(ends) < _MAX_RECORDS):
        ends.append(len(text))
    return list(_records(text, syntax, ends, line))


def cells_of(record: str, delimiter: str, quote: str) -> tuple[str, ...]:
    """Cut one record into its cells, leniently."""
    try:
        return tuple(next(read_csv([record], delimiter, quote), ()))
    except csv.Error:  # a cell longer than the reader takes
        return tuple(record.split(delimiter))


def usual_width(records: Sequence[Record]) -> int:
    """Return the width that most records of the second half have: what is above the table is not in it."""
    widths = Counter(record.width for record in records[len(records) // 2 :])
    return widths.most_common(1)[0][0] if widths else 0


def find_start(records: Sequence[Record]) -> TableStart:
    """Decide which record the table begins with.

    Lines with fewer cells above what is clearly a header are passed over. It is not certain where the table
    begins when no header is clear, or when a spreadsheet has filled these lines up with empty cells.
    """
    first, width = records[0], usual_width(records)
    if first.width > width or (first.width == width and 2 * first.n_filled > width):
        return TableStart()
    position = next(
        (n for n, each in enumerate(records) if each.width == width and 2 * each.n_filled > width), 0
    )
    if position == 0:
        return TableStart()
    is_narrow = all(record.width < width for record in records[:position])
    if is_narrow and is_header(records[position], records[position + 1 :]):
        return TableStart(position)
    is_short = position == 1 and first.width == width - 1 >= 2 and len(records) > _MIN_ROWS
    is_short = is_short and looks_like_names(first.cells)
    if not is_short:
        return TableStart(wider=records[position])
    return TableStart(is_short=True, is_unclosed=not any(record.cells[-1].strip() for record in records[1:]))


def is_header(record: Record, following: Sequence[Record]) -> bool:
    """Whether a record clearly holds names: the cells below are values, or repeat while the names do not."""
    rows = [each.cells for each in following if each.width == record.width]
    if not rows or not looks_like_names(record.cells):
        return False
    columns = list(zip(*rows, strict=True))
    if any(map(_holds_values, columns)):
        return True
    repeats = any(len(set(column)) < len(column) for column in columns)
    return repeats and not _recurs(record, columns)


def contradicts_absence(record: Record, following: Sequence[Record]) -> bool:
    """Whether a first record that is stated to be a row is a header: names above columns of values."""
    rows = [each.cells for each in following if each.width == record.width]
    if not rows or not looks_like_names(record.cells):
        return False
    return any(map(_holds_values, zip(*rows, strict=True)))


def has_names(record: Record, following: Sequence[Record], names: Sequence[str]) -> bool:
    """Whether the first record is a header when the names are stated, and so may not be needed."""
    cells = [cell.strip().casefold() for cell in record.cells]
    if cells == [name.casefold() for name in names]:
        return True
    if any(map(_is_value, cells)):
        return False
    rows = [each.cells for each in following if each.width == record.width]
    return not _recurs(record, list(zip(*rows, strict=True)))


def looks_like_names(cells: Sequence[str]) -> bool:
    """Whether the cells may be column names: distinct texts; the first may be empty, as above row names."""
    names = [cell.strip().casefold() for cell in cells]
    return all(names[1:]) and len(set(names)) == len(names) and not any(map(_is_value, names))


def _records(text: bytes, syntax: Syntax, ends: list[int], line: int) -> Iterator[Record]:
    start = 0
    for end in ends:
        content = text[start:end]
        written = content.decode("utf-8", "replace").rstrip("\r\n")
        is_comment = bool(syntax.comment) and written.startswith(syntax.comment)
        if content.strip() and not is_comment:
            yield Record(start, end, line, cells_of(written, syntax.delimiter, syntax.quote))
        start, line = end, line + content.count(b"\n")


def _holds_values(column: tuple[str, ...]) -> bool:
    filled = [cell for cell in column if cell.strip()]
    return bool(filled) and sum(map(_is_value, filled)) > _MANY * len(filled)


def _recurs(record: Record, columns: Sequence[tuple[str, ...]]) -> bool:
    return any(cell in column for cell, column in zip(record.cells, columns, strict=False) if cell.strip())


def _is_value(cell: str) -> bool:
    return bool(_VALUE.fullmatch(cell.strip()))
