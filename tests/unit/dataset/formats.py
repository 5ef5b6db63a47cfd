"""Files of other formats, written by other programs than the one that reads them here."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter
from backports import zstd

from mlops.dataset.limits import Limits
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.settings.group import GroupSettings

N_ROWS = 120
NAMES = ("patient_id", "zip", "age", "seen", "adherent")
type Row = tuple[Any, ...]


def patients(n: int = N_ROWS) -> list[Row]:
    """Rows of each type that formats state: codes are text, ages integers, visits dates."""
    first = date(2024, 1, 1)
    return [
        (
            f"P{i:04}",
            f"{10_000 + i % 7}",
            20 + i * 37 % 60,
            first + timedelta(days=i % 50),
            "yes" if (i * i + i // 3) % 5 < 3 else "no",
        )
        for i in range(n)
    ]


def csv_text(rows: Sequence[Row], names: Sequence[str] = NAMES) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in (names, *rows))


def write_parquet(path: Path, query: str = "SELECT * FROM patients") -> Path:
    """Write what a query of DuckDB gives; the table `patients` is there."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE patients"
            " (patient_id VARCHAR, zip VARCHAR, age INTEGER, seen DATE, adherent VARCHAR)"
        )
        connection.executemany("INSERT INTO patients VALUES (?, ?, ?, ?, ?)", patients())
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def write_workbook(path: Path, *fills: Callable[[Any, Any], None], names: Sequence[str] = ()) -> Path:
    """Write a workbook with one sheet for each function, which takes the sheet and the workbook."""
    with xlsxwriter.Workbook(path) as workbook:
        for position, fill in enumerate(fills):
            fill(workbook.add_worksheet(names[position] if names else None), workbook)
    return path


def filled(
    rows: Sequence[Row], names: Sequence[Any] = NAMES, *, row: int = 0, column: int = 0
) -> Callable[[Any, Any], None]:
    """Return the function that writes a table; its header is in that row, counted from 0."""

    def fill(sheet: Any, workbook: Any) -> None:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for down, cells in enumerate((names, *rows)):
            for right, cell in enumerate(cells):
                place = row + down, column + right
                if isinstance(cell, datetime):
                    sheet.write_datetime(*place, cell, moment)
                elif isinstance(cell, date):
                    sheet.write_datetime(*place, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(*place, cell)
                elif cell is not None:
                    sheet.write(*place, cell)

    return fill


def empty(sheet: Any, workbook: Any) -> None:
    """Leave a sheet without any cell."""


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


SETTINGS = GroupSettings(target="adherent", id_columns=("patient_id",))
CSV = csv_text(patients()).encode()


def as_objects() -> list[dict[str, Any]]:
    return [dict(zip(NAMES, (*row[:3], row[3].isoformat(), row[4]), strict=True)) for row in patients()]


def json_lines(rows: list[dict[str, Any]] | None = None) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in (rows or as_objects())).encode()


WRITERS: dict[str, Callable[[Path], object]] = {
    "patients.parquet": write_parquet,
    "patients.jsonl": lambda path: path.write_bytes(json_lines()),
    "patients.json": lambda path: path.write_text(json.dumps(as_objects(), indent=2)),
    "bom.json": lambda path: path.write_text(json.dumps(as_objects()), encoding="utf-8-sig"),
    "utf16.json": lambda path: path.write_text(json.dumps(as_objects()), encoding="utf-16"),
    "patients.jsonl.gz": lambda path: path.write_bytes(gzip.compress(json_lines())),
    "patients.jsonl.zst": lambda path: path.write_bytes(zstd.compress(json_lines())),
    "patients.xlsx": lambda path: write_workbook(path, filled(patients())),
    "patients.csv.zst": lambda path: path.write_bytes(zstd.compress(CSV)),
    "patients.zip": lambda path: write_zip(
        path, {"data/patients.csv": CSV, "__MACOSX/data/._patients.csv": b"x"}
    ),
    "a-workbook.zip": lambda path: write_zip(
        path, {"a.xlsx": write_workbook(path.with_suffix(".xlsx"), filled(patients())).read_bytes()}
    ),
    "a-parquet.zip": lambda path: write_zip(
        path, {"a": write_parquet(path.with_suffix(".parquet")).read_bytes()}
    ),
}


def check(
    path: Path, settings: GroupSettings = SETTINGS, limits: Limits | None = None, **named: Any
) -> ValidationReport:
    return validate(path, settings, limits=limits, **named)


def refusal(path: Path, settings: GroupSettings = SETTINGS, limits: Limits | None = None) -> Finding:
    report = check(path, settings, limits)
    assert report.verdict == "reject", report.findings
    return report.of_severity("reject")[0]


def findings(report: ValidationReport, rule_id: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule_id == rule_id]
