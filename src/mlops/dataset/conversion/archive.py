"""Zip archives: the one table that an archive contains."""

from __future__ import annotations

import re
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path, PurePosixPath

from mlops.dataset.conversion.expansion import write_expanded
from mlops.dataset.conversion.refusal import damaged, not_a_table, refused
from mlops.dataset.limits import Limits
from mlops.dataset.privacy import shown

FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)
_ENCRYPTED = 0x1
_NAMED = 5
# files beside the table that operating systems and people add
_SYSTEM_NAMES = ("thumbs.db", "desktop.ini")
_DRIVE = re.compile(r"[A-Za-z]:|.*\\")
_NOTES = ("readme", "license", "licence")
_DOCUMENTS = {
    "word/document.xml": ("a Word document", "Copy the table into a spreadsheet and save it as CSV or xlsx."),
    "ppt/presentation.xml": ("a PowerPoint presentation", "Save the table as CSV or xlsx."),
    "xl/workbook.bin": ("a binary Excel workbook (xlsb)", "Save it as an Excel workbook (.xlsx) or as CSV."),
    "content.xml": ("an OpenDocument file", "Save it as an Excel workbook (.xlsx) or as CSV."),
}


def open_archive(source: Path) -> zipfile.ZipFile:
    """Open a zip archive whose entries are checked.

    Raises
    ------
    RefusalError
        If it is damaged, encrypted, or has names or entries that only hostile archives have.
    """
    try:
        archive = zipfile.ZipFile(source)
    except (NotImplementedError, *FAULTS) as error:
        raise damaged("the zip archive is truncated or corrupt") from error
    _check(archive)
    return archive


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether the archive is an Excel workbook.

    Raises
    ------
    RefusalError
        If it is a document of another program.
    """
    names = set(archive.namelist())
    for name, (container, advice) in _DOCUMENTS.items():
        if name in names:
            raise not_a_table(container, advice)
    return any(name.startswith("xl/workbook") and name.endswith(".xml") for name in names)


def expand_table(archive: zipfile.ZipFile, target: Path, size_bytes: int, limits: Limits) -> None:
    """Write the one table of an archive to a file.

    Raises
    ------
    RefusalError
        If there is no table or more than one, or it cannot be expanded within the limits.
    """
    entry = _the_table(archive)
    try:
        with archive.open(entry) as stream:
            write_expanded(stream, target, size_bytes, limits, FAULTS)
    except NotImplementedError as error:
        advice = "Compress it again with the usual method (Deflate)."
        message = "The archive is compressed by a method that cannot be read."
        raise refused("archive", message, advice=advice) from error
    except FAULTS as error:
        raise damaged("the zip archive is truncated or corrupt") from error


def _the_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    tables = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_beside(entry.filename)]
    if not tables:
        raise refused("archive", "The zip archive has no file.", advice="Put one table into it.")
    if len(tables) > 1:
        names = ", ".join(shown(entry.filename, 60) for entry in tables[:_NAMED])
        more = f" and {len(tables) - _NAMED:,} more" if len(tables) > _NAMED else ""
        message = f"The zip archive has {len(tables):,} files ({names}{more}); it must have one table."
        advice = (
            "Drop one archive for each table; parts of one table belong into a folder, not into an archive."
        )
        raise refused("archive", message, advice=advice)
    return tables[0]


def _is_beside(name: str) -> bool:
    path = PurePosixPath(name)
    last = path.name.lower()
    is_system = path.parts[0] == "__MACOSX" or last.startswith(".") or last in _SYSTEM_NAMES
    return is_system or last.split(".")[0] in _NOTES


def _check(archive: zipfile.ZipFile) -> None:
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise refused("archive", "The zip archive has a password.", advice="Drop it without a password.")
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(entry.filename):
            message = f"The zip archive has an unsafe file name: {shown(entry.filename, 60)}."
            raise refused("archive", message, advice="Compress the table alone, without folders.")
    for entry, following in pairwise(entries):
        if entry.header_offset + entry.compress_size > following.header_offset:
            message = (
                "Files in the zip archive overlap, as they do only in archives made to expand endlessly."
            )
            raise refused("archive", message, advice="Compress the table again.")
