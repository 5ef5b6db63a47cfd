"""A table as the rest of the library reads it: a CSV file, and what was known before it became one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TextIO

from mlops.dataset.conversion.refusal import too_large
from mlops.dataset.form.inspection import Inspection, inspect, read_head
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.table.dialect import Dialect, detect
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.record import Record
from mlops.models.settings.format import FileFormatSettings

# the name under which a converted table is stored: the name says how it is written
CONVERTED_TABLE = "converted.csv"
EXPANDED_TABLE = "expanded.csv"  # text that a person has written

# how `TableWriter` and the conversion of Parquet write
_FORM = FileFormatSettings(
    delim=",", quote='"', decimal_separator=".", encoding="utf-8", header=True, skip=0, comment=""
)

type Cell = str | None


@dataclass(frozen=True, slots=True)
class ConvertedTable:
    """What a format states about a table beside its cells.

    `first_line` is what a person calls the record with the column names: a row of a sheet; 0 where the names
    are not in a row, so that the first row of data is 1. `text_columns` are the positions of columns of text:
    digits in them are not numbers. `choice` says which of several tables in the file it is, where that was
    stated: another one is another dataset.
    """

    first_line: int
    text_columns: tuple[int, ...] = ()
    notes: tuple[Finding, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Conversion(Record):
    """The result for a file of another format: a CSV table, or findings that refuse it.

    `sha256` and `size_bytes` are those of the file itself, `source_format` is what it was. `first_line` and
    `text_columns` are as in `ConvertedTable`; `first_line` is None when the file was text that was only
    expanded.
    """

    source_format: str
    sha256: str
    size_bytes: int
    findings: tuple[Finding, ...] = ()
    first_line: int | None = None
    text_columns: tuple[int, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether there is no table."""
        return any(finding.severity == "reject" for finding in self.findings)

    @property
    def is_typed(self) -> bool:
        """Whether the table was written here, so that its form is known."""
        return self.first_line is not None

    def inspection_of(self, content: Inspection) -> Inspection:
        """Return the inspection of the table, with the identity of the file that it was made of."""
        lines = () if self.is_typed else content.nul_lines
        return replace(content, sha256=self.sha256, size_bytes=self.size_bytes, nul_lines=lines)

    def form_for(self, stated: FileFormatSettings) -> FileFormatSettings:
        """Return how the table is written, whatever `[format]` states about other files of the group.

        Its missing values, its notation of dates and what it says of bad rows count all the same.
        """
        if not self.is_typed:
            return stated
        return replace(
            _FORM,
            nullstr=stated.nullstr,
            dateformat=stated.dateformat,
            ignore_errors=stated.ignore_errors,
        )

    def dialect_of(self, head: bytes, form: FileFormatSettings) -> Dialect | None:
        """Return the dialect of a table of that form, in which rows are numbered as a person sees them."""
        dialect = detect(head, form)
        if dialect is None or self.first_line is None:
            return dialect
        line = self.first_line
        return replace(dialect, header_line=line, n_skipped_lines=line, counts_records=True)

    def rejection(self, purpose: str) -> ValidationReport:
        """Return the report of a file that could not be converted."""
        return ValidationReport("reject", self.findings, 0, 0, self.sha256, self.size_bytes, purpose)


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file to read: CSV as it is, or the CSV table that was made of a file of another format."""

    path: Path
    conversion: Conversion | None = None

    def recognise(self, stated: FileFormatSettings, limits: Limits) -> RecognisedForm | None:
        """Return how the table is written, by what `[format]` states; None for what is not a table."""
        form = self.conversion.form_for(stated) if self.conversion else stated
        inspection = inspect(self.path, limits, encoding=form.encoding)
        if not inspection.is_readable:
            return None
        head = read_head(self.path, inspection)
        dialect = self.conversion.dialect_of(head, form) if self.conversion else detect(head, form)
        return None if dialect is None else RecognisedForm(inspection, form, dialect)


@dataclass(frozen=True, slots=True)
class RecognisedForm:
    """How a table is written: what its bytes show, what is stated or known of it, and its dialect."""

    inspection: Inspection
    stated: FileFormatSettings
    dialect: Dialect


def header_line(names: Sequence[str]) -> str:
    """Return the line of the names, all in quotes: no name can be taken for a delimiter or a comment."""
    line = StringIO()
    csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow([_plain(name) for name in names])
    return line.getvalue()


class TableWriter:
    """Writes rows as the library reads them; a line end inside a cell is one newline.

    `write_row` raises `RefusalError` when the table is larger than the limit.
    """

    def __init__(self, file: TextIO, names: Sequence[str], limits: Limits) -> None:
        self._file, self._limits = file, limits
        self._writer = csv.writer(file, lineterminator="\n")
        self._n_columns = len(names)
        self._n_characters = 0
        self._file.write(header_line(names))

    def write_row(self, cells: Iterable[Cell]) -> None:
        """Write one row; None is missing."""
        self._n_characters += self._writer.writerow([_plain(cell) for cell in cells])
        if self._n_characters > self._limits.max_expanded_bytes:
            limit = self._limits.max_expanded_bytes // MIB
            raise too_large(f"as CSV it is larger than the limit of {limit:,} MiB")

    def write_blank(self) -> None:
        """Write a row without any cell, so that later rows keep their numbers."""
        self._file.write("," * (self._n_columns - 1) + "\n")


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell
