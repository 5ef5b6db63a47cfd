"""Dates, numbers and codes as people and programs write them: read right, or named as what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from mlops.dataset.notation.date_formats import read_moments
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ValidationReport
from mlops.models.settings.group import GroupSettings

N_ROWS = 120


def label(row: int) -> str:
    return "yes" if (row * row + row // 3) % 5 < 3 else "no"


def of_column(
    tmp_path: Path, values: Callable[[int], object], name: str = "x", *, mark: str = ",", lines: str = ""
) -> ValidationReport:
    """The report on a table of one column of these values, a number with a fraction and the target."""
    decimal = "." if mark == "," else ","
    written = [f"{name}{mark}dose{mark}left"]
    for row in range(N_ROWS):
        cell = str(values(row))
        cell = f'"{cell}"' if mark in cell else cell
        written.append(mark.join((cell, f"{row * 7 % 90}{decimal}{row % 9 + 1}", label(row))))
    path = tmp_path / "file.csv"
    path.write_text("\n".join(written) + "\n")
    return validate(path, GroupSettings.from_toml(f'target = "left"\n{lines}'))


def rules(report: ValidationReport, column: str = "x") -> list[str]:
    usual = ("duplicate_rows", "conflicting_labels", "id_like")
    return [f.rule_id for f in report.findings if f.column == column and f.rule_id not in usual]


def day(row: int) -> date:
    return date(2019, 1, 3) + timedelta(days=row * 11 % 1400)


def written(notation: str) -> Callable[[int], str]:
    return lambda row: day(row).strftime(notation)


DATES: dict[str, tuple[Callable[[int], object], str]] = {
    "milliseconds after a comma": (written("%Y-%m-%d 10:30:05,123"), "%Y-%m-%d %H:%M:%S,%f"),
    "points in the time": (written("%d.%m.%Y 10.30"), "%d.%m.%Y %H.%M"),
    "by Oracle": (written("%d-%b-%y 10.30.05.000000 AM"), "%d-%b-%y %I.%M.%S.%f %p"),
    "a month and a year": (written("%m.%Y"), "%m.%Y"),
    "spaces": (written("%d %m %Y"), "%d %m %Y"),
    "a Buddhist year": (lambda row: day(row).strftime(f"%d/%m/{day(row).year + 543}"), "%d/%m/%Y"),
}


@pytest.mark.parametrize("case", DATES)
def test_dates_of_further_notations_are_dates(tmp_path: Path, case: str) -> None:
    values, notation = DATES[case]
    report = of_column(tmp_path, values)
    assert report.contract is not None
    column = report.contract.column("x")
    assert column is not None
    assert (column.kind, column.date_format) == ("date", notation)
    assert "date_format" in rules(report)


def test_the_moments_of_further_notations_are_right() -> None:
    moments = [
        read_moments(["2019-03-04 10:30:05,250", "2019-03-04 10:30"], "%Y-%m-%d %H:%M:%S,%f"),
        read_moments(["04.03.2019 10.30", "04.03.2019 10.30.05"], "%d.%m.%Y %H.%M"),
        read_moments(["04-MAR-19 10.30.05.000000 PM"], "%d-%b-%y %I.%M.%S.%f %p"),
        read_moments(["1551695405000000000"], "epoch_ns"),
    ]
    assert [str(each) for one in moments for each in one] == [
        "2019-03-04 10:30:05.250000+00:00",
        "2019-03-04 10:30:00+00:00",
        "2019-03-04 10:30:00+00:00",
        "2019-03-04 10:30:05+00:00",
        "2019-03-04 22:30:05+00:00",
        "2019-03-04 10:30:05+00:00",
    ]


UNREAD: dict[str, Callable[[int], object]] = {
    "months of statistics": lambda row: f"{2000 + row % 20}M{row % 12 + 1:02d}",
    "quarters in Spanish": lambda row: f"T{row % 4 + 1} {2000 + row % 20}",
    "quarters first": lambda row: f"{row % 4 + 1}Q{2000 + row % 20}",
    "half-years": lambda row: f"{2000 + row % 20}H{row % 2 + 1}",
    "durations in words": lambda row: f"{row % 4}h {row % 60}m",
    "durations of ISO": lambda row: f"PT{row % 4}H{row % 60}M",
    "durations by pandas": lambda row: f"{row % 4} days 0{row % 10}:30:00",
}


@pytest.mark.parametrize("case", UNREAD)
def test_periods_and_durations_that_stay_text_are_named(tmp_path: Path, case: str) -> None:
    report = of_column(tmp_path, UNREAD[case])
    assert rules(report) == ["date_format"]
    assert report.columns[0].kind in ("text", "category")


@pytest.mark.parametrize(
    "text", ["10.0.3.20", "3.2019", "1.2.3", "06 12 3456", "T5 2019", "120/80", "12 34 56"]
)
def test_other_values_with_the_same_signs_are_no_dates(tmp_path: Path, text: str) -> None:
    report = of_column(tmp_path, lambda row: text if row % 3 else text[:-1] + str(row % 10))
    assert "date_format" not in rules(report)


def test_days_without_a_century_are_asked_about_where_the_name_is_one_of_a_date(tmp_path: Path) -> None:
    report = of_column(tmp_path, written("%y%m%d"), "visit_date")
    [finding] = [finding for finding in report.findings if finding.rule_id == "date_format"]
    stated = of_column(tmp_path, written("%y%m%d"), "visit_date", lines=str(finding.accept_with))
    assert stated.columns[0].kind == "date"
    assert "date_format" not in rules(of_column(tmp_path, written("%y%m%d"), "amount"), "amount")
    early = of_column(tmp_path, lambda row: f"0{row % 9}0{row % 9 + 1}{row % 20 + 10}", "visit_date")
    assert "date_format" in rules(early, "visit_date")  # digits with a zero in front are text


def test_times_in_nanoseconds_and_serial_numbers_with_fractions_are_named(tmp_path: Path) -> None:
    assert (
        of_column(tmp_path, lambda row: 1_551_695_405_000_000_000 + row * 10**15, "ts").columns[0].kind
        == "date"
    )
    assert "date_format" in rules(
        of_column(tmp_path, lambda row: 43_000.25 + row, "visit_date"), "visit_date"
    )


def test_dates_of_another_calendar_are_not_called_placeholders(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: f"{1390 + row % 12}/{row % 12 + 1:02d}/{row % 28 + 1:02d}")
    [finding] = [finding for finding in report.findings if finding.rule_id == "placeholder_dates"]
    assert "another calendar" in finding.message


ONE_OTHER: dict[str, tuple[Callable[[int], str], str]] = {
    "a decimal comma": (lambda row: f"{row}.{row % 9 + 1}", "12,5"),
    "both marks": (lambda row: f"{row * 31}.{row % 9 + 1}", "1.234,56"),
    "a wrong group": (lambda row: f"{row + 1},{row * 7 % 900 + 100}", "12,34"),
}


@pytest.mark.parametrize("case", ONE_OTHER)
def test_one_number_that_is_written_otherwise_changes_no_other(tmp_path: Path, case: str) -> None:
    usual, other = ONE_OTHER[case]
    report = of_column(tmp_path, lambda row: other if row == 70 else usual(row))
    [refusal] = report.of_severity("reject")
    assert (refusal.rule_id, refusal.lines, refusal.examples) == ("type_mismatch", (72,), (other,))


def test_fractions_below_one_are_never_read_as_thousands(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: f"0,{row * 7 % 900 + 100}")
    assert report.contract is not None
    column = report.contract.column("x")
    assert column is not None
    assert (column.decimal, column.thousands, column.kind) == (",", None, "number")


def test_negative_numbers_in_parentheses_are_told_beside_separators(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: f"(1,{row + 200})" if row % 3 else f"1,{row + 200}")
    [finding] = [finding for finding in report.findings if finding.rule_id == "number_format"]
    assert "parentheses" in finding.message


def test_numbers_too_large_are_one_finding_and_its_lines_accept_them(tmp_path: Path) -> None:
    def values(row: int) -> str:
        return f"1e{400 + row}" if row % 40 == 0 else f"{row}.5"

    report = of_column(tmp_path, values)
    assert rules(report) == ["non_finite"]
    assert of_column(tmp_path, values, lines=str(report.findings[0].accept_with)).verdict != "reject"


def test_an_amount_with_a_unit_is_not_offered_as_a_spelling_of_missing(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: "1.2k" if row % 12 == 0 else str(row * 7))
    [refusal] = report.of_severity("reject")
    assert "missing" not in str(refusal.accept_with)


def test_digits_of_another_script_are_named(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: "".join(chr(0x660 + int(digit)) for digit in str(row + 100)))
    assert "another script" in report.of_severity("reject")[0].message


def test_numbers_with_units_are_not_called_a_mixture(tmp_path: Path) -> None:
    [finding] = of_column(tmp_path, lambda row: f"{row % 60 + 40} kg").of_severity("warn")
    assert "mixes" not in finding.message


def test_a_mark_that_other_columns_need_is_not_offered_as_one_of_thousands(tmp_path: Path) -> None:
    report = of_column(tmp_path, lambda row: f"{row % 9 + 1},{row * 7 % 900 + 100}", mark=";")
    [finding] = [finding for finding in report.findings if finding.rule_id == "ambiguous_thousands"]
    stated = of_column(
        tmp_path, lambda row: f"{row % 9 + 1},{row * 7 % 900 + 100}", mark=";", lines=str(finding.accept_with)
    )
    assert stated.verdict != "reject"
    assert "ambiguous_thousands" not in rules(stated)


@pytest.mark.parametrize("name", ["zip", "postal_code", "naics", "DepartmentCode", "ean"])
def test_numbers_that_are_named_like_codes_are_asked_about(tmp_path: Path, name: str) -> None:
    report = of_column(tmp_path, lambda row: 10_000 + row % 7 * 111, name)
    [finding] = [finding for finding in report.findings if finding.rule_id == "codes"]
    assert (report.verdict, finding.severity) == ("accept", "info")
    stated = of_column(tmp_path, lambda row: 10_000 + row % 7 * 111, name, lines=str(finding.accept_with))
    assert stated.columns[0].kind == "category"
    assert "codes" not in rules(stated, name)


def test_versions_are_text_where_the_name_says_so(tmp_path: Path) -> None:
    def values(row: int) -> str:
        return f"{row % 3 + 1}.{row % 13}"

    assert of_column(tmp_path, values, "app_version").columns[0].kind in ("category", "text")
    assert of_column(tmp_path, values, "weight").columns[0].kind == "number"


PHONES: Sequence[Callable[[int], str]] = (
    lambda row: f"+49 30 {100_000 + row}",
    lambda row: f"0044 20 7946 0{row + 100}",
    lambda row: f"+33 1 23 45 {row % 90 + 10} {row % 80 + 10}",
)


@pytest.mark.parametrize("values", PHONES)
def test_telephone_numbers_of_other_countries_are_personal_data(
    tmp_path: Path, values: Callable[[int], str]
) -> None:
    assert "telephone" in of_column(tmp_path, values, "contact").of_severity("reject")[0].message


def test_signed_numbers_are_no_telephone_numbers(tmp_path: Path) -> None:
    assert of_column(tmp_path, lambda row: f"+{row * 1000}").verdict == "accept"
