"""Removes the rows of a person from one file, read as the rest of the library reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import GzipFile
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.table_file import CONVERTED_TABLE, RecognisedForm, TableFile
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.erasure.records import RecordFilter
from mlops.dataset.form.compressing import reproducible_gzip
from mlops.dataset.form.inspection import open_blocks, read_head, without_start
from mlops.dataset.form.quoting import with_doubled_quotes
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.validation.parts.joining import joined_mark
from mlops.dataset.validation.survey.gathering import clean_names
from mlops.dataset.validation.survey.names import matched_names
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.settings.format import FileFormatSettings
from mlops.models.settings.group import GroupSettings

_LIMITS = Limits(max_expanded_bytes=8192 * MIB)  # the largest that a stack can be made to accept
_ENDING = re.compile(r"(?:\.[a-z0-9]{1,8}){1,2}$")


@dataclass(frozen=True, slots=True)
class RowSearch:
    """Which rows are removed: those with an id of a person in a column; and how files of the group are read.

    `is_personal` gets an id as it is written, without the spaces around it.
    """

    column: str
    is_personal: Callable[[str], bool]
    settings: GroupSettings
    contract: Contract | None = None


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """How many rows were removed; a file that `is_converted` is of a format that is not written here."""

    n_rows: int
    is_converted: bool = False


@dataclass(frozen=True, slots=True)
class _OpenTable:
    path: Path
    form: RecognisedForm
    names: tuple[str, ...]

    @property
    def dialect(self) -> Dialect:
        return self.form.dialect


def local_name(filename: str) -> str:
    """Return a name for a local copy, which says of the file what its name says to readers."""
    ending = _ENDING.search(filename.lower())
    return filename if filename == CONVERTED_TABLE else f"table{ending[0] if ending else ''}"


def remove_rows(source: Path, target: Path, search: RowSearch) -> RemovedRows:
    """Write the table of a file to `target` without the rows of a person, in memory that stays flat.

    Text becomes UTF-8 with newlines, and stays gzip-compressed; everything but the removed records is kept,
    also comments and records that cannot be read. Of a file in another format, such as Parquet, `target` is
    the CSV table.

    Raises
    ------
    DatasetError
        If the file cannot be searched: it is not a table, or does not have the column.
    """
    choice = SheetChoice.of(search.settings.format.of("training"))
    with as_table_file(source, choice, _LIMITS) as file:
        table = _open(file, search)
        removal = RecordFilter(
            table.dialect.syntax, len(table.names), table.names.index(search.column), search.is_personal
        )
        n_skipped = table.dialect.skipped_bytes
        start = read_head(table.path, table.form.inspection)[:n_skipped]
        rows = without_start(open_blocks(table.path, table.form.inspection), n_skipped)
        if table.dialect.escape:
            rows = with_doubled_quotes(rows, table.dialect.quote, table.dialect.escape)
        with _writing(target, table.form.inspection.compression) as stream:
            for text in chain([joined_mark(table.form.stated), start], removal.kept(rows)):
                stream.write(text)
    is_converted = file.conversion is not None and file.conversion.source_format != "csv"
    return RemovedRows(removal.n_removed, is_converted)


def _open(file: TableFile, search: RowSearch) -> _OpenTable:
    """Read how the table is written: as the settings state it, or as it looks if they do not fit."""
    if file.conversion is not None and file.conversion.is_refused:
        raise DatasetError(file.conversion.findings[0].message)
    stated = search.settings.format
    forms = dict.fromkeys((stated.of("training"), stated.of("inference"), FileFormatSettings()))
    for form in forms:
        table = _open_as(file, form, search.contract)
        if table is not None and search.column in table.names:
            return table
    if table is None:
        raise DatasetError("It cannot be read as a table.")
    raise DatasetError(f"It has no column {search.column}.")


def _open_as(file: TableFile, stated: FileFormatSettings, contract: Contract | None) -> _OpenTable | None:
    form = file.recognise(stated, _LIMITS)
    if form is None or form.dialect.contradicted is not None:
        return None
    names, _ = matched_names(clean_names(form.dialect.names), contract)
    return _OpenTable(file.path, form, names)


@contextmanager
def _writing(path: Path, compression: str | None) -> Iterator[BinaryIO | GzipFile]:
    with path.open("wb") as file:
        if compression is None:
            yield file
        else:
            with reproducible_gzip(file) as stream:
                yield stream
