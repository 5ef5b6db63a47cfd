"""Converts a file of another format into one CSV table, or says why it cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.conversion.archive import expand_table, is_workbook, open_archive
from mlops.dataset.conversion.expansion import expand_gzip, expand_zstd
from mlops.dataset.conversion.json_records import convert_json
from mlops.dataset.conversion.parquet import convert_parquet
from mlops.dataset.conversion.recognition import format_of_file
from mlops.dataset.conversion.refusal import RefusalError, refused
from mlops.dataset.conversion.table_file import (
    CONVERTED_TABLE,
    EXPANDED_TABLE,
    Conversion,
    ConvertedTable,
    TableFile,
)
from mlops.dataset.conversion.workbook import SheetChoice, convert_workbook, refuse_old_workbook
from mlops.dataset.form.containers import GZIP_MARK
from mlops.dataset.limits import Limits

# names in a directory of our own, so that no name of a person reaches DuckDB
_SOURCE, _EXPANDED, _MADE = "source", "expanded", "made"


@dataclass(frozen=True, slots=True)
class _Job:
    """One conversion: the directory in which it works, and what it is held to."""

    folder: Path
    choice: SheetChoice
    limits: Limits


@contextmanager
def as_table_file(path: Path, choice: SheetChoice, limits: Limits) -> Iterator[TableFile]:
    """Provide a file in the form in which tables are read: itself, or a CSV file that exists meanwhile.

    Raises
    ------
    MissingPackageError
        If the format needs a package of the extra `formats` that is not installed.
    """
    if path.name == CONVERTED_TABLE:
        yield TableFile(path, Conversion("csv", _digest(path), path.stat().st_size, first_line=0))
    elif format_of_file(path) is None:
        yield TableFile(path)
    else:
        with TemporaryDirectory() as folder:
            conversion, table = convert(path, Path(folder), choice, limits)
            yield TableFile(table or path, conversion)


def convert(
    source: Path, folder: Path, choice: SheetChoice, limits: Limits
) -> tuple[Conversion, Path | None]:
    """Write the one table of a file as CSV.

    Parameters
    ----------
    source
        A file that `format_of_file` knows.
    folder
        An existing directory for the table.

    Returns
    -------
    Conversion
        Bad content is a finding of it, never an exception.
    Path or None
        The table in the folder, None when the file is refused. The same file always gives the same bytes.

    Raises
    ------
    MissingPackageError
        If the format needs a package of the extra `formats` that is not installed.
    """
    source_format, size_bytes = format_of_file(source) or "text", source.stat().st_size
    with TemporaryDirectory(dir=folder) as workspace:
        job = _Job(Path(workspace).resolve(), choice, limits)
        try:
            made = _convert(source.resolve(), job)
        except RefusalError as refusal:
            return Conversion(source_format, _digest(source), size_bytes, (refusal.finding,)), None
        table = folder / (EXPANDED_TABLE if made is None else CONVERTED_TABLE)
        (job.folder / _MADE).replace(table)
    if made is None:
        return Conversion(source_format, _digest(source), size_bytes), table
    digest = _digest(source, made.choice)
    facts = (made.notes, made.first_line, made.text_columns)
    return Conversion(source_format, digest, size_bytes, *facts), table


def _convert(source: Path, job: _Job) -> ConvertedTable | None:
    """Write the table; return what its format states, None for text that was only expanded."""
    content, made = _expand(source, job), job.folder / _MADE
    match format_of_file(content):
        case "parquet":
            return convert_parquet(_in_folder(content, job), made, job.limits)
        case "json":
            return convert_json(content, made, job.limits)
        case "excel":
            refuse_old_workbook(content)
        case "zip":
            return convert_workbook(content, made, job.choice, job.limits)
        case _:
            content.replace(made)
    return None


def _expand(source: Path, job: _Job) -> Path:
    """Return the file that a compressed file contains, in the folder of the job, or the file itself."""
    expanded = job.folder / _EXPANDED
    match format_of_file(source):
        case "zip":
            with open_archive(source) as archive:
                if is_workbook(archive):
                    return source
                expand_table(archive, expanded, source.stat().st_size, job.limits)
        case "zstd":
            expand_zstd(source, expanded, job.limits)
        case "gzip":
            expand_gzip(source, expanded, job.limits)
        case _:
            return source
    _refuse_second_compression(expanded)
    return expanded


def _refuse_second_compression(expanded: Path) -> None:
    match format_of_file(expanded):
        case "zip":
            with open_archive(expanded) as archive:
                is_compressed = not is_workbook(archive)
        case "zstd" | "gzip":
            is_compressed = True
        case _:
            with expanded.open("rb") as file:
                is_compressed = file.read(len(GZIP_MARK)) == GZIP_MARK
    if is_compressed:
        advice = "Compress the table once."
        raise refused("wrong_container", "The file is compressed twice.", advice=advice)


def _in_folder(content: Path, job: _Job) -> Path:
    if content.parent == job.folder:
        return content
    link = job.folder / _SOURCE
    link.symlink_to(content)
    return link


def _digest(path: Path, choice: str = "") -> str:
    """Return the SHA-256 of a file, and of the choice of a sheet where one is stated."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(choice.encode())
    return digest.hexdigest()
