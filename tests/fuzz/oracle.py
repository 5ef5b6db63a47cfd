"""What must hold for every file, whatever is in it."""

from __future__ import annotations

import csv
import gzip
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mlops.dataset.table.cells import MISSING_EVERYWHERE, MISSING_IN_NUMBERS
from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings
from tests.fuzz.irregular_files import ID_MARK, Layout

SETTINGS = GroupSettings(target="outcome", id_columns=("patient_id",))
MAX_SECONDS = 10.0
_SWAPPED_MARKS = str.maketrans(",.", ".,")
_LEFT_OUT = ("repeated_header", "footer_row")  # rules that name rows which are not read


def complaints(path: Path, layout: Layout, contract: Contract | None) -> Iterator[str]:
    """Say what does not hold for one file; whatever is raised is a finding too."""
    started = time.process_time()
    report = validate(path, SETTINGS, contract, purpose="inference")
    trained = validate(path, SETTINGS, contract)
    if time.process_time() - started > 2 * MAX_SECONDS:
        yield f"validation took {time.process_time() - started:.0f} s of the CPU"
    if validate(path, SETTINGS, contract, purpose="inference") != report:
        yield "the same file got another report"
    if validate(path, SETTINGS, contract) != trained:
        yield "the same training file got another report"
    yield from _as_when_compressed(path, trained, contract)
    if ValidationReport.from_json(report.to_json()) != report:
        yield "the report does not survive JSON"
    if layout.only_cells_changed and ID_MARK in report.to_json() + trained.to_json():
        yield "an id is in the report"
    if report.verdict == "reject":
        yield from _read_or_refused(path, contract)
    else:
        yield from _as_read_by_others(path, report, contract)


def _as_when_compressed(path: Path, trained: ValidationReport, contract: Contract | None) -> Iterator[str]:
    """Compress a plain file: everything that is said of its content must stay."""
    if path.suffix == ".gz" or trained.format is None:
        return
    packed = path.with_name("packed.csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    report = validate(packed, SETTINGS, contract)
    message = [(one.verdict, one.findings, one.n_rows, one.columns) for one in (trained, report)]
    if message[0] != message[1]:
        yield "the compressed file got another report"


def _read_or_refused(path: Path, contract: Contract | None) -> Iterator[str]:
    try:
        read_table(path, contract, SETTINGS)
    except DatasetError as error:
        if not str(error).strip():
            yield "a refusal without a reason"


def _as_read_by_others(path: Path, report: ValidationReport, contract: Contract | None) -> Iterator[str]:
    """Compare with Python's own csv module, under the format that the report states."""
    names, rows = _independent(path, report)
    table = read_table(path, contract, SETTINGS)
    rows, n_doubtful = _without_left_out(rows, report)
    if not len(rows) - n_doubtful <= report.n_rows <= len(rows):
        yield f"{report.n_rows} rows accepted, csv reads {len(rows)}"
    if len(table) != report.n_rows:
        yield f"{report.n_rows} rows accepted, {len(table)} handed to training"
    if list(table.columns) != [name for name in names if name]:
        yield f"columns {list(table.columns)}, csv reads {names}"
    elif len(table) == len(rows):
        yield from _other_values(table, names, rows, report)


def _without_left_out(rows: list[list[str]], report: ValidationReport) -> tuple[list[list[str]], int]:
    """Return the rows but for repeated headers and footers, and how many of those rules could not tell."""
    header = [name.casefold() for name in (column.name for column in report.columns)]
    named = sum(f.count or 0 for f in report.findings if f.rule_id in _LEFT_OUT)
    kept = [row for row in rows if not named or [cell.strip().casefold() for cell in row] != header]
    return kept, max(named - (len(rows) - len(kept)), 0)


def _independent(path: Path, report: ValidationReport) -> tuple[list[str], list[list[str]]]:
    actual = report.format
    assert actual is not None
    content = path.read_bytes()
    content = gzip.decompress(content) if actual.compression else content
    text = content.decode(actual.encoding).removeprefix("\ufeff")
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")[actual.header_line - 1 :]
    reader = csv.reader([f"{line}\n" for line in lines], delimiter=actual.delimiter)
    header, *rows = list(reader)
    names = [re.sub(r"[ \t]*\n+[ \t]*", " ", name.strip(" \t\r\n\u00a0\u200b\ufeff")) for name in header]
    return names, [row for row in rows if "".join(row).strip(' "\t') != ""]


def _other_values(
    table: pd.DataFrame, names: list[str], rows: list[list[str]], report: ValidationReport
) -> Iterator[str]:
    decimal = report.format.decimal if report.format else "."
    warned = {finding.column for finding in report.findings if finding.rule_id == "number_format"}
    # a cell such as `1.` is none of the numbers of a column with a notation of its own, and is named
    unreadable = {finding.column for finding in report.findings if finding.rule_id == "type_mismatch"}
    for position, name in enumerate(names):
        if not name:
            continue
        column = table[name]
        is_number = pd.api.types.is_numeric_dtype(column.dtype)
        for row, value in zip(rows, column.tolist(), strict=True):
            cell = row[position].strip()
            same = _same_number(cell, value, decimal) if is_number else _same_text(cell, value)
            same = same or (name in warned and is_number and _same_digits(cell, value))
            same = same or (name in warned & unreadable and pd.isna(value))
            if not same:
                yield f"column {position}: {cell!r} became {value!r}"
                break


def _same_digits(cell: str, value: float) -> bool:
    """Whether a number with separators, a unit or a sign behind it has digits and sign of its cell."""
    digits = ["".join(filter(str.isdigit, text)).strip("0") for text in (cell, repr(value))]
    is_negative = cell.startswith(("-", "(")) or cell.endswith(("-", ")"))
    return digits[0] == digits[1] and is_negative == (value < 0)


def _same_number(cell: str, value: float, decimal: str) -> bool:
    if isinstance(value, float) and math.isnan(value):
        plain = cell.translate(_SWAPPED_MARKS) if decimal == "," else cell
        return cell.lower() in MISSING_IN_NUMBERS or not _is_plain(plain)
    try:
        return float(cell.replace(decimal, ".")) == value
    except ValueError:
        return False


def _is_plain(text: str) -> bool:
    try:
        return text.isascii() and "_" not in text and np.isfinite(float(text))
    except ValueError:
        return False


def _same_text(cell: str, value: object) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return cell.lower() in MISSING_EVERYWHERE
    return cell == str(value).replace("\r\n", "\n").strip()
