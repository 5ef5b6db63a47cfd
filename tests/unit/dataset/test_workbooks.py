"""Excel workbooks: which sheet, which rows, and what the cells become."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.validation.reading import read_table
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.formats import (
    N_ROWS,
    NAMES,
    check,
    empty,
    filled,
    findings,
    patients,
    refusal,
    write_parquet,
    write_workbook,
)

moment = datetime  # Excel knows no time zones


def test_cells_of_a_workbook_become_what_they_show(tmp_path: Path) -> None:
    rows = [
        ("007", 5, 5.5, moment(2024, 1, 31), moment(2024, 1, 31, 10, 5, 6), True, "34", None),
        ("a\r\nb", 2**60, 0.1, moment(2024, 2, 29), moment(2024, 1, 31), False, 35, None),
    ]

    def fill(sheet: Any, workbook: Any) -> None:
        filled(rows, ("code", "whole", "part", "day", "at", "flag", "mixed", "wrong"))(sheet, workbook)
        sheet.write_formula(1, 7, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 7, "=A1+1", None, 8)
        sheet.write_string(2, 2, "#N/A")

    path = write_workbook(tmp_path / "a.xlsx", fill)
    names = ("whole", "part", "day", "at", "flag", "wrong")
    texts = read_table(path, dict.fromkeys(names, "text"))
    assert texts.iloc[0].dropna().to_dict() == {
        "code": "007", "whole": "5", "part": "5.5", "day": "2024-01-31", "at": "2024-01-31 10:05:06",
        "flag": "True", "mixed": 34,
    }  # fmt: skip
    assert texts.iloc[1].dropna().to_dict() == {
        "code": "a\nb", "whole": str(2**60), "day": "2024-02-29", "at": "2024-01-31 00:00:00",
        "flag": "False", "mixed": 35, "wrong": "8",
    }  # fmt: skip


def test_a_title_above_the_table_is_left_out_with_the_line_that_says_so(tmp_path: Path) -> None:
    def fill(sheet: Any, workbook: Any) -> None:
        sheet.write(1, 0, "Patients of 2024")
        filled(patients(), row=4)(sheet, workbook)

    path = write_workbook(tmp_path / "a.xlsx", fill)
    report = check(path)
    (finding,) = findings(report, "preamble")
    assert (report.n_rows, finding.severity, finding.lines) == (N_ROWS, "warn", (2,))
    stated = GroupSettings.from_toml(
        f'target = "adherent"\nid_columns = ["patient_id"]\n{finding.accept_with}'
    )
    assert check(path, stated).verdict == "accept"


def test_a_table_may_begin_far_down_and_have_gaps_and_broken_names(tmp_path: Path) -> None:
    def fill(sheet: Any, workbook: Any) -> None:
        for right, name in enumerate(("age\n(years)", "weight", "", "left")):
            sheet.write(500, 2 + right, name or None)
        for i in range(80):
            sheet.write_row(501 + i, 2, (20 + i * 37 % 60, 50 + i * 31 % 40))
            sheet.write(501 + i, 5, i % 2)
        sheet.write(590, 9, "  ")

    report = check(write_workbook(tmp_path / "a.xlsx", fill), GroupSettings(target="left"))
    assert [column.name for column in report.columns] == ["age (years)", "weight", "left"]
    assert (report.n_rows, report.format and report.format.header_line) == (80, 501)


def test_a_note_beside_the_table_is_a_column_without_a_name(tmp_path: Path) -> None:
    def fill(sheet: Any, workbook: Any) -> None:
        filled(patients())(sheet, workbook)
        sheet.write(5, 8, "checked by Ann")

    finding = refusal(write_workbook(tmp_path / "a.xlsx", fill))
    assert (finding.rule_id, "column 6" in finding.message.lower()) == ("empty_header", True)


def test_of_several_sheets_the_first_visible_one_with_cells_is_read(tmp_path: Path) -> None:
    def hide(sheet: Any, workbook: Any) -> None:
        filled([(1,)], ("secret",))(sheet, workbook)

    other = filled([(i, i % 3) for i in range(60)], ("x", "target"))
    path = write_workbook(
        tmp_path / "a.xlsx",
        empty,
        filled(patients()),
        hide,
        other,
        names=("Empty", "Data", "Secret", "Other"),
    )
    report = check(path)
    (finding,) = findings(report, "sheet")
    assert (report.n_rows, finding.severity) == (N_ROWS, "warn")
    assert "Data" in finding.message
    stated = GroupSettings.from_toml('[format]\nsheet = "Other"')
    assert [c.name for c in check(path, stated).columns] == ["x", "target"]
    assert check(path, stated).sha256 != report.sha256  # another table is another dataset
    accepted = GroupSettings.from_toml(
        f'target = "adherent"\nid_columns = ["patient_id"]\n{finding.accept_with}'
    )
    assert check(path, accepted).verdict == "accept"


def test_a_sheet_that_does_not_exist_is_refused_with_the_names_of_those_that_do(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", filled(patients()), names=("Data",))
    finding = refusal(path, GroupSettings.from_toml('[format]\nsheet = "Date"'))
    assert finding.rule_id == "sheet"
    assert "Data" in finding.message
    assert 'sheet = "Data"' in str(finding.advice)


@pytest.mark.parametrize(("name", "rule_id"), [("", "empty_header"), ("age", "duplicate_columns")])
def test_a_header_of_a_sheet_obeys_the_rules_of_headers(name: str, rule_id: str, tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx", filled(patients(), ("patient_id", name, "age", "seen", "adherent"))
    )
    assert refusal(path).rule_id == rule_id


def test_names_may_be_stated_for_a_sheet_without_a_header(tmp_path: Path) -> None:
    rows = patients()
    path = write_workbook(tmp_path / "a.xlsx", filled(rows[1:], rows[0]))
    stated = GroupSettings.from_toml(
        'target = "adherent"\nid_columns = ["patient_id"]\n'
        f"[format]\nheader = false\nnames = {json.dumps(NAMES)}"
    )
    report = check(path, stated)
    assert (report.verdict, report.n_rows) == ("accept", N_ROWS)


def test_what_format_states_about_text_does_not_touch_a_typed_file(tmp_path: Path) -> None:
    stated = GroupSettings.from_toml(
        'target = "adherent"\nid_columns = ["patient_id"]\n'
        '[format]\ndelim = ";"\ndecimal_separator = ","\nskip = 2'
    )
    assert check(write_parquet(tmp_path / "a.parquet"), stated).verdict == "accept"


def test_a_finding_names_the_row_of_the_sheet(tmp_path: Path) -> None:
    rows: list[Any] = patients()
    rows[40] = (*rows[40][:2], "forty", *rows[40][3:])
    rows[9] = (*rows[9][:1], "a\nb", *rows[9][2:])
    path = write_workbook(tmp_path / "a.xlsx", filled(rows, row=3, column=2))
    finding = refusal(path)
    assert (finding.rule_id, finding.lines) == ("type_mismatch", (45,))  # header in row 4, P0000 in row 5


def test_a_cell_far_from_the_table_is_refused_and_named(tmp_path: Path) -> None:
    def fill(sheet: Any, workbook: Any) -> None:
        filled(patients())(sheet, workbook)
        sheet.write(1_048_575, 16_383, "x")

    finding = refusal(write_workbook(tmp_path / "a.xlsx", fill))
    assert finding.rule_id == "too_large"
    assert "XFD1048576" in finding.message


def test_a_workbook_with_thousands_of_formatted_empty_rows_is_read(tmp_path: Path) -> None:
    def fill(sheet: Any, workbook: Any) -> None:
        filled(patients())(sheet, workbook)
        bold = workbook.add_format({"bold": True})
        for row in range(N_ROWS + 1, 3_000):
            sheet.write_blank(row, 8, None, bold)

    report = check(write_workbook(tmp_path / "a.xlsx", fill))
    assert (report.verdict, report.n_rows, report.n_columns) == ("accept", N_ROWS, len(NAMES))
