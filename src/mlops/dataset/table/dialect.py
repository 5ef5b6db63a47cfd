"""How a text table is written: delimiter, quotes, lines above the header, the header, decimal mark."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mlops.dataset.form.delimiters import vote
from mlops.dataset.form.header_search import (
    Record,
    TableStart,
    cells_of,
    contradicts_absence,
    find_start,
    has_names,
    is_header,
    read_records,
    usual_width,
)
from mlops.dataset.form.quoting import Syntax
from mlops.models.record import Record as JsonRecord
from mlops.models.settings.format import FileFormatSettings

COMMENT = "#"
_SEP_LINE = re.compile(rb'"?sep=(.)"?\r?', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")
_MAX_COMMENTED_SHARE = 0.1
_NOTHING_STATED = FileFormatSettings()

StatedKey = Literal["delim", "header", "names"]


@dataclass(frozen=True, slots=True)
class Dialect(JsonRecord):
    """How to read the table.

    `header_line` is the 1-based line of the header, of the first row without one; `skipped_bytes` lie before
    the first data record. `sep_line` is Excel's hint `sep=;`. `preamble` and `comments` are the lines above
    the header that were left out. A header that `is_short` lacks the name of the first column, which is then
    empty. `table_line` is the line at which the table seems to begin when the header line is not a header,
    `table_width` how many columns it has, `table_names` whether names are there. `contradicted` is the key of
    `[format]` that the text contradicts; `likely_delimiter` separates the columns when the one that was used
    does not. With `counts_records` lines are numbered by records, and `header_line` is what a person calls
    the header, 0 when the names were not on a line: the text was made of rows that a person has seen.
    `escape` is before quotes inside of fields in quotes.
    """

    delimiter: str
    names: tuple[str, ...]
    header_line: int
    skipped_bytes: int
    n_skipped_lines: int
    has_sep_line: bool
    decimal: str
    has_bad_header_quotes: bool = False
    quote: str = '"'
    comment: str = ""
    has_header: bool = True
    is_short: bool = False
    preamble: tuple[int, ...] = ()
    comments: tuple[int, ...] = ()
    table_line: int | None = None
    table_width: int = 0
    has_table_names: bool = False
    contradicted: StatedKey | None = None
    likely_delimiter: str | None = None
    counts_records: bool = False
    escape: str = ""

    @property
    def syntax(self) -> Syntax:
        """The characters that separate, enclose and comment."""
        return Syntax(self.delimiter, self.quote, self.comment)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The text from the first line that may be the header on, and what was passed over to get there."""

    offset: int
    line: int
    has_sep_line: bool = False
    delimiter: str | None = None
    comments: tuple[int, ...] = ()
    comment: str = ""


def detect(head: bytes, stated: FileFormatSettings = _NOTHING_STATED) -> Dialect | None:
    """Read the dialect off the beginning of the text (UTF-8); None when nothing but blank lines is left.

    What is stated is not guessed.
    """
    quote = '"' if stated.quote is None else stated.quote
    beginning = _passed_over(head, stated, quote)
    if beginning is None:
        return None
    text = head[beginning.offset :]
    delimiter = stated.delim or beginning.delimiter or _vote_of(text, quote)
    syntax = Syntax(delimiter, quote, beginning.comment)
    records = read_records(text, syntax, line=beginning.line)
    return _dialect_of(text, records, syntax, beginning, stated) if records else None


def _vote_of(text: bytes, quote: str) -> str:
    return vote(text.decode("utf-8", "ignore"), quote)


def _dialect_of(
    text: bytes,
    records: Sequence[Record],
    syntax: Syntax,
    beginning: _Beginning,
    stated: FileFormatSettings,
) -> Dialect:
    """Read the dialect off the first records of the text."""
    start = _start(records, stated)
    first, following = records[start.position], records[start.position + 1 :]
    has_header = _has_header(first, following, stated)
    names, is_well_quoted = _names(text, first, syntax, stated, has_header=has_header)
    end = first.end if has_header else first.start
    likely = _vote_of(text, syntax.quote) if stated.delim and usual_width(records) == 1 else None
    if not is_well_quoted and _are_spaces(text, syntax):
        likely = " "
    return Dialect(
        delimiter=syntax.delimiter,
        names=_with_unnamed(names, start),
        header_line=first.line,
        skipped_bytes=beginning.offset + end,
        n_skipped_lines=first.line - 1 + text.count(b"\n", first.start, end),
        has_sep_line=beginning.has_sep_line,
        decimal=stated.decimal_separator or _decimal(records[start.position :], syntax.delimiter),
        has_bad_header_quotes=not is_well_quoted,
        quote=syntax.quote,
        comment=syntax.comment,
        has_header=has_header,
        is_short=start.is_short and not start.is_unclosed,
        preamble=tuple(record.line for record in records[: start.position]),
        comments=beginning.comments,
        table_line=start.wider.line if start.wider else None,
        table_width=usual_width(records),
        has_table_names=start.wider is not None and _may_be_names(start.wider, records),
        contradicted=_contradicted(records[start.position :], stated, likely),
        likely_delimiter=likely,
        escape=stated.escape or "",
    )


def _passed_over(head: bytes, stated: FileFormatSettings, quote: str) -> _Beginning | None:
    """Pass the stated lines, or blank lines and a `sep=` line; then the comments above the header."""
    offset, line, has_sep_line, delimiter = 0, 1, False, None
    while offset < len(head):
        end = _end_of_line(head, offset)
        content = head[offset:end].strip(b"\n")
        hint = _SEP_LINE.fullmatch(content) if not has_sep_line and stated.skip is None else None
        if hint:
            has_sep_line, delimiter = True, hint[1].decode("ascii", "replace")
        elif content.strip() and line > (stated.skip or 0):
            break
        offset, line = end, line + 1
    if offset >= len(head):
        return None
    beginning = _Beginning(offset, line, has_sep_line, delimiter, comment=stated.comment or "")
    if stated.comment == "" or not head.startswith((stated.comment or COMMENT).encode(), offset):
        return beginning
    return _after_comments(head, beginning, stated, quote)


def _after_comments(
    head: bytes, beginning: _Beginning, stated: FileFormatSettings, quote: str
) -> _Beginning | None:
    """Pass the comments; the last line of them is the header when the lines below are rows."""
    mark = (stated.comment or COMMENT).encode()
    offset, line, lines = beginning.offset, beginning.line, list[tuple[int, int]]()
    while offset < len(head) and (
        head.startswith(mark, offset) or not head[offset : _end_of_line(head, offset)].strip()
    ):
        if head.startswith(mark, offset):
            lines.append((offset, line))
        offset, line = _end_of_line(head, offset), line + 1
    passed = tuple(number for _, number in lines)
    if offset >= len(head):
        return None if stated.comment else beginning
    if stated.comment:
        return _Beginning(offset, line, beginning.has_sep_line, beginning.delimiter, passed, stated.comment)
    last_offset, last_line = lines[-1]
    rest = head[offset:]
    delimiter = stated.delim or beginning.delimiter or vote(rest.decode("utf-8", "ignore"), quote)
    records = read_records(rest, Syntax(delimiter, quote), line=line)
    rows = [each for each in records if each.width == usual_width(records)]
    last = cells_of(head[last_offset:offset].decode("utf-8", "ignore").rstrip(), delimiter, quote)
    is_row_below = len(last) == records[0].width == usual_width(records) and not is_header(
        records[0], records[1:]
    )
    if is_row_below:
        return _Beginning(last_offset, last_line, beginning.has_sep_line, beginning.delimiter, passed[:-1])
    n_commented = sum(each.cells[0].startswith(COMMENT) for each in rows)
    comment = COMMENT if n_commented <= _MAX_COMMENTED_SHARE * len(rows) else ""
    return _Beginning(offset, line, beginning.has_sep_line, beginning.delimiter, passed, comment)


def _end_of_line(head: bytes, offset: int) -> int:
    return head.find(b"\n", offset) + 1 or len(head)


def _start(records: Sequence[Record], stated: FileFormatSettings) -> TableStart:
    start = find_start(records)
    if stated.skip is not None and start.position > 0:  # the table was stated to begin above
        return TableStart(wider=records[start.position])
    return replace(start, is_short=start.is_short and stated.header is not False and stated.names is None)


def _has_header(first: Record, following: Sequence[Record], stated: FileFormatSettings) -> bool:
    if stated.header is not None:
        return stated.header
    return stated.names is None or has_names(first, following, stated.names)


def _names(
    text: bytes, first: Record, syntax: Syntax, stated: FileFormatSettings, *, has_header: bool
) -> tuple[tuple[str, ...], bool]:
    """Return the column names, and whether the quotes of the header make sense."""
    if stated.names is not None:
        return stated.names, True
    if not has_header:
        return numbered_names(first.width), True
    written = text[first.start : first.end].decode("utf-8", "replace").rstrip("\r\n")
    if not syntax.quote:
        return first.cells, True
    try:
        reader = csv.reader([written], delimiter=syntax.delimiter, quotechar=syntax.quote, strict=True)
        return tuple(next(reader, ())), True
    except csv.Error:
        line = written.split("\n", 1)[0]
        return tuple(line.split(syntax.delimiter)), False


def _with_unnamed(names: tuple[str, ...], start: TableStart) -> tuple[str, ...]:
    """Return the names with an empty one where a short header lacks it."""
    if not start.is_short:
        return names
    return (*names, "") if start.is_unclosed else ("", *names)


def _are_spaces(text: bytes, syntax: Syntax) -> bool:
    """Whether single spaces cut the records alike, as those of R's `write.table`."""
    records = read_records(text, replace(syntax, delimiter=" "), line=1)
    widths = {record.width for record in records[1:]}
    return len(widths) == 1 and min(widths) > 1


def numbered_names(count: int) -> tuple[str, ...]:
    """Return the names of columns that have none: `column_1`, `column_2` and so on."""
    return tuple(f"column_{position + 1}" for position in range(count))


def _contradicted(
    records: Sequence[Record], stated: FileFormatSettings, likely_delimiter: str | None
) -> StatedKey | None:
    is_other = stated.delim is not None and likely_delimiter not in (None, stated.delim)
    if is_other and _cuts(records, likely_delimiter or ""):
        return "delim"
    if stated.names is not None and len(stated.names) != usual_width(records):
        return "names"
    is_row = stated.header is False
    return "header" if is_row and contradicts_absence(records[0], records[1:]) else None


def _cuts(records: Sequence[Record], delimiter: str) -> bool:
    """Whether a delimiter is in all records that the stated one leaves whole."""
    return all(delimiter in record.cells[0] for record in records[:50])


def _may_be_names(record: Record, records: Sequence[Record]) -> bool:
    return has_names(record, records[records.index(record) + 1 :], ())


def _decimal(records: Sequence[Record], delimiter: str) -> str:
    """A comma is the decimal mark when cells look like `1,5`, none like `1.5`, and is not the delimiter."""
    if delimiter == ",":
        return "."
    cells = [cell.strip() for record in records[1:] for cell in record.cells]
    n_commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    n_points = sum(bool(_DECIMAL_POINT.fullmatch(cell)) for cell in cells)
    return "," if n_commas and not n_points else "."
