"""Excel workbooks: one sheet as a table, read by calamine."""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.dataset.conversion.archive import FAULTS
from mlops.dataset.conversion.expansion import refuse_excess, within_limits
from mlops.dataset.conversion.refusal import damaged, not_a_table, refused
from mlops.dataset.conversion.sheet_cells import SheetCells, refuse_wide_sheet
from mlops.dataset.conversion.table_file import ConvertedTable, TableWriter
from mlops.dataset.limits import Limits
from mlops.dataset.privacy import shown
from mlops.infrastructure.extras import require_package
from mlops.models.dataset import Finding
from mlops.models.record import Record
from mlops.models.settings.format import FileFormatSettings

if TYPE_CHECKING:  # imported on first use: only files of this format need it
    from python_calamine import CalamineSheet, CalamineWorkbook

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_NAMED = 10


@dataclass(frozen=True, slots=True)
class SheetChoice(Record):
    """What `[format]` states about a workbook: the sheet, the rows above its header, and the names."""

    sheet: str | None = None
    skip: int | None = None
    header: bool | None = None
    names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, stated: FileFormatSettings) -> SheetChoice:
        """Return the part of the settings that a workbook needs."""
        return cls(stated.sheet, stated.skip, stated.header, stated.names)

    @property
    def has_header(self) -> bool:
        """Whether the first row contains the names."""
        return self.header if self.header is not None else self.names is None


def convert_workbook(source: Path, target: Path, choice: SheetChoice, limits: Limits) -> ConvertedTable:
    """Write one sheet of a workbook as CSV.

    Raises
    ------
    RefusalError
        If the workbook is damaged, has no such sheet, or expands to more than the limits allow.
    """
    require_package("python_calamine")
    from python_calamine import CalamineWorkbook

    _check_expanded(source, limits)
    with _faults_as_damage(), CalamineWorkbook.from_path(str(source)) as workbook:
        sheet, notes = _choose(workbook, choice)
        cells = SheetCells.of(sheet.iter_rows(), skip=choice.skip, has_header=choice.has_header)
        with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
            writer = TableWriter(file, choice.names or cells.names, limits)
            for row in cells.rows(sheet.iter_rows()):
                if any(cell is not None for cell in row):
                    writer.write_row(row)
                else:
                    writer.write_blank()
    return ConvertedTable(
        first_line=cells.header_row,
        text_columns=cells.text_columns,
        notes=(*notes, *_preamble(cells, choice)),
        choice="" if choice == SheetChoice() else choice.to_json(),
    )


def refuse_old_workbook(source: Path) -> None:
    """Refuse a file in the container of old workbooks, which is also that of encrypted ones.

    Raises
    ------
    RefusalError
        Always; the message says which of the two it is.
    """
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        is_encrypted = content.find(_ENCRYPTED) >= 0
    if is_encrypted:
        raise not_a_table(
            "an Excel workbook with a password", "Save it without a password and drop it again."
        )
    raise not_a_table(
        "an old Excel workbook (xls, binary)",
        "Save it as an Excel workbook (.xlsx) or as CSV and drop it again.",
    )


def _check_expanded(source: Path, limits: Limits) -> None:
    """Expand every part once, so that nothing larger than the limits reaches the memory of calamine."""
    size_bytes, n_bytes = source.stat().st_size, 0
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            is_sheet = entry.filename.startswith("xl/worksheets/")
            try:
                with archive.open(entry) as stream:
                    blocks = within_limits(stream, size_bytes, limits, FAULTS)
                    n_bytes += refuse_wide_sheet(blocks) if is_sheet else sum(map(len, blocks))
            except (NotImplementedError, *FAULTS) as error:
                raise damaged("the workbook is truncated or corrupt") from error
            refuse_excess(n_bytes, size_bytes, limits)


@contextmanager
def _faults_as_damage() -> Iterator[None]:
    """Refuse the file when calamine does; a panic of its native code is not a subclass of `Exception`."""
    from python_calamine import CalamineError

    try:
        yield
    except CalamineError as error:
        raise damaged("the workbook is corrupt, or is not one of Excel") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged("the workbook is corrupt") from error


def _choose(workbook: CalamineWorkbook, choice: SheetChoice) -> tuple[CalamineSheet, list[Finding]]:
    """Return the stated sheet, else the first visible one that has cells."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if choice.sheet is not None:
        return _stated(workbook, choice.sheet, [sheet.name for sheet in sheets]), []
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    hidden = [sheet.name for sheet in sheets if sheet.name not in visible]
    for names in (visible, hidden):
        for position, name in enumerate(names):
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is not None:
                return sheet, _others(workbook, name, names[position + 1 :], names)
    raise refused("empty_file", "The workbook has no cells.", advice="Export the table again.")


def _stated(workbook: CalamineWorkbook, stated: str, names: list[str]) -> CalamineSheet:
    alike = [name for name in names if name.strip().casefold() == stated.strip().casefold()]
    name = stated if stated in names else next(iter(alike), None)
    if name is None:
        has = ", ".join(shown(each) for each in names[:_NAMED])
        message = f"The workbook has no sheet {shown(stated)}; it has: {has}."
        raise refused("sheet", message, advice=f"Correct model.toml:\n{_lines(names[0]) if names else ''}")
    sheet = workbook.get_sheet_by_name(name)
    if sheet.start is None:
        message = f"The sheet {shown(name)} has no cells."
        raise refused("empty_file", message, advice="State another sheet in [format] of model.toml.")
    return sheet


def _others(workbook: CalamineWorkbook, taken: str, later: list[str], names: list[str]) -> list[Finding]:
    """Tell of other sheets with cells; at most one of them is loaded."""
    other = next((name for name in later if workbook.get_sheet_by_name(name).start is not None), None)
    if other is None:
        message = f"The sheet {shown(taken)} was read; numbers of lines are its rows."
        return [Finding("sheet", "info", message)]
    message = (
        f"The workbook has {len(names)} sheets; only {shown(taken)} was read. Numbers of lines are its rows."
    )
    advice = f"To read another sheet, state it in model.toml, such as: {_lines(other)}"
    return [Finding("sheet", "warn", message, advice=advice.replace("\n", " "), accept_with=_lines(taken))]


def _lines(sheet: str) -> str:
    name = sheet.replace("\\", "\\\\").replace('"', '\\"')
    return f'[format]\nsheet = "{name}"'


def _preamble(cells: SheetCells, choice: SheetChoice) -> list[Finding]:
    if not cells.title_rows or choice.skip is not None:
        return []
    first, last = cells.title_rows[0], cells.title_rows[-1]
    rows = f"Row {first} was" if first == last else f"Rows {first} to {last} were"
    message = f"{rows} left out as a title above the header in row {cells.header_row}."
    accept_with = f"[format]\nskip = {cells.header_row - 1}"
    return [Finding("preamble", "warn", message, lines=cells.title_rows[:20], accept_with=accept_with)]
