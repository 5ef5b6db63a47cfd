"""How the cells of a column are written is recognised once: dates, amounts, codes, missing values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.table.dates import read_dates
from mlops.dataset.table.table import Table
from mlops.dataset.validation.parts.validate_parts import validate_parts
from mlops.dataset.validation.reading import load_table, read_pieces, read_table
from mlops.dataset.validation.survey.expectations import next_contract
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ColumnContract, Contract, Finding, ValidationReport
from mlops.models.settings.group import GroupSettings

ROWS = 150
BASE = 'target = "left"\n'

type Values = Callable[[int], str]


def a_file(folder: Path, values: Values, *, name: str = "x", delimiter: str = ",", rows: int = ROWS) -> Path:
    """A table of one column of interest between an age and a target that it says nothing about."""
    path = folder / "file.csv"
    lines = [delimiter.join(("age", name, "left"))]
    for row in range(rows):
        cell = values(row)
        quoted = f'"{cell}"' if delimiter in cell else cell
        lines.append(
            delimiter.join(
                (str(18 + row * 37 % 70), quoted, "yes" if (row * row + row // 3) % 5 < 3 else "no")
            )
        )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@cache
def of_dates(form: str, *, days: int = 28, first: str = "2019-03-01") -> Values:
    """Dates in one notation; with `days=12` no day tells the month from the day."""
    start = pd.Timestamp(first)
    moments = [
        start + pd.DateOffset(months=row * 7 % 40, days=row * 5 % days, minutes=row * 37 % 1400)
        for row in range(2000)
    ]
    if "%-" not in form:
        return lambda row: moments[row % 2000].strftime(form)
    return lambda row: moments[row % 2000].strftime(form.replace("%-d", "%e").replace("%-m", "%m")).strip()


def cycle(*values: str) -> Values:
    return lambda row: values[row % len(values)]


def unpadded(mark: str, order: str) -> Values:
    def value(row: int) -> str:
        parts = {"y": str(2001 + row % 20), "m": str(1 + row % 12), "d": str(1 + row * 5 % 28)}
        return mark.join(parts[part] for part in order)

    return value


def the_column(report: ValidationReport, name: str = "x") -> ColumnContract:
    assert report.contract is not None
    column = report.contract.column(name)
    assert column is not None
    return column


def findings(report: ValidationReport, rule_id: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule_id == rule_id]


DATES: dict[str, tuple[Values, str]] = {
    "dotted, day first": (of_dates("%d.%m.%Y"), "%d.%m.%Y"),
    "dotted, year first": (of_dates("%Y.%m.%d"), "%Y.%m.%d"),
    "slashes, day first": (of_dates("%d/%m/%Y"), "%d/%m/%Y"),
    "slashes, month first": (of_dates("%m/%d/%Y"), "%m/%d/%Y"),
    "slashes, year first": (of_dates("%Y/%m/%d"), "%Y/%m/%d"),
    "hyphens, day first": (of_dates("%d-%m-%Y"), "%d-%m-%Y"),
    "two-digit years": (of_dates("%d/%m/%y"), "%d/%m/%y"),
    "two-digit years with dots": (of_dates("%d.%m.%y"), "%d.%m.%y"),
    "unpadded ISO": (unpadded("-", "ymd"), "%Y-%m-%d"),
    "unpadded, day first": (unpadded("/", "dmy"), "%d/%m/%Y"),
    "unpadded, month first": (unpadded("/", "mdy"), "%m/%d/%Y"),
    "unpadded with dots": (unpadded(".", "dmy"), "%d.%m.%Y"),
    "compact": (of_dates("%Y%m%d"), "%Y%m%d"),
    "day and time": (of_dates("%d.%m.%Y %H:%M"), "%d.%m.%Y %H:%M"),
    "time with seconds": (of_dates("%d/%m/%Y %H:%M:%S"), "%d/%m/%Y %H:%M:%S"),
    "am and pm": (of_dates("%m/%d/%Y %I:%M %p"), "%m/%d/%Y %I:%M %p"),
    "am and pm with seconds": (of_dates("%m/%d/%Y %I:%M:%S %p"), "%m/%d/%Y %I:%M:%S %p"),
    "short month names": (of_dates("%d %b %Y"), "%d %b %Y"),
    "short month names with hyphens": (of_dates("%d-%b-%Y"), "%d-%b-%Y"),
    "short month names, two-digit years": (of_dates("%d-%b-%y"), "%d-%b-%y"),
    "month names": (of_dates("%d %B %Y"), "%d %B %Y"),
    "month names first": (of_dates("%B %d, %Y"), "%B %d, %Y"),
    "short month names first": (of_dates("%b %d, %Y"), "%b %d, %Y"),
    "days of the week": (of_dates("%a, %d %b %Y"), "%a, %d %b %Y"),
    "years and months": (of_dates("%Y/%m"), "%Y/%m"),
    "days, months and years without marks": (of_dates("%d%m%Y"), "%d%m%Y"),
    "days and times without marks": (of_dates("%Y%m%dT%H%M%S"), "%Y%m%dT%H%M%S"),
    "times without any mark": (of_dates("%Y%m%d%H%M%S"), "%Y%m%d%H%M%S"),
    "years and days of the year": (of_dates("%Y%j"), "%Y%j"),
    "years and days of the year with a hyphen": (of_dates("%Y-%j"), "%Y-%j"),
    "months without a mark": (of_dates("%Y%m"), "%Y%m"),
    "months and years": (of_dates("%m/%Y"), "%m/%Y"),
    "names of months and years": (of_dates("%B %Y"), "%B %Y"),
    "short names of months and years": (of_dates("%b-%Y"), "%b-%Y"),
    "as SAS writes them": (of_dates("%d%b%Y:%H:%M:%S"), "%d%b%Y:%H:%M:%S"),
    "as web servers write them": (of_dates("%d/%b/%Y:%H:%M:%S +0000"), "%d/%b/%Y:%H:%M:%S %z"),
    "a zone": (lambda row: f"{of_dates('%d %b %Y %H:%M:%S')(row)} +0200", "%d %b %Y %H:%M:%S %z"),
}


@pytest.mark.parametrize("case", DATES)
def test_dates_are_recognised_with_their_notation_and_every_row_is_read_by_it(
    case: str, tmp_path: Path
) -> None:
    values, notation = DATES[case]
    path = a_file(tmp_path, values, delimiter=";" if "," in values(0) else ",")
    report = validate(path, GroupSettings.from_toml(BASE))
    assert report.verdict == "warn"
    assert (the_column(report).kind, the_column(report).date_format) == ("date", notation)
    assert [f.severity for f in findings(report, "date_format")] == ["warn"]
    column = load_table(path, GroupSettings.from_toml(BASE)).columns["x"]
    assert (column.kind, column.date_format) == ("date", notation)
    moments = read_dates(load_table(path)["x"], notation)
    expected = [pd.to_datetime(values(row), format=notation, utc=True) for row in range(ROWS)]
    assert moments.tolist() == expected


def test_half_days_may_be_written_with_points(tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: f"3/{1 + row % 28}/2021 {1 + row % 11}:30 {'ap'[row % 2]}.m.")
    table = load_table(path)
    moments = read_dates(table["x"], table.columns["x"].date_format)
    assert moments.dt.hour.tolist() == [1 + row % 11 + 12 * (row % 2) for row in range(ROWS)]


@pytest.mark.parametrize(
    "values",
    [
        lambda row: f"{1 + row % 28}. {('Januar', 'März', 'Mai')[row % 3]} 2021",
        lambda row: f"{4 + row % 16}th March {2001 + row % 20}",
        lambda row: f"March {4 + row % 16}th, {2001 + row % 20}",
        lambda row: f"{1 + row % 28} de {('enero', 'mayo')[row % 2]} de 2020",
        lambda row: f"{2019 + row % 3}Q{1 + row % 4}",
        lambda row: f"Q{1 + row % 4} {2019 + row % 3}",
        lambda row: f"{2019 + row % 3}-W{1 + row % 52:02d}",
        lambda row: f"{2019 + row % 3}年{1 + row % 12}月{1 + row % 28}日",
        of_dates("%a %b %d %H:%M:%S UTC %Y"),
        of_dates("%Y-%m-%d %H:%M:%S CET"),
        of_dates("%Y-%m-%d %H.%M:%S"),
        lambda row: f"{1 + row % 28}-{('ene', 'abr')[row % 2]}-2021",
        lambda row: f"/Date({1_600_000_000_000 + row})/",
        of_dates("%b-%y"),
        of_dates("%H:%M"),
        lambda row: f"{row % 40}:{row % 60:02d}:{row * 7 % 60:02d}",
        lambda row: of_dates(("%d/%m/%Y", "%Y-%m-%d")[row % 2])(row),
    ],
)
def test_dates_that_are_not_read_bring_a_warning(values: Values, tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, values, delimiter=";"), {"target": "left"})
    assert [finding.severity for finding in findings(report, "date_format")] == ["warn"]
    assert the_column(report).kind in ("category", "text")


def test_parts_of_a_table_are_read_by_the_notation_of_all_of_them(tmp_path: Path) -> None:
    parts = []
    for number, values in enumerate((of_dates("%d/%m/%Y", days=12), of_dates("%d/%m/%Y"), cycle("1/2/2021"))):
        (tmp_path / str(number)).mkdir()
        parts.append(a_file(tmp_path / str(number), values))
    report = validate_parts(parts, GroupSettings.from_toml(BASE))
    assert (the_column(report).kind, the_column(report).date_format) == ("date", "%d/%m/%Y")


def test_iso_dates_need_no_word(tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, of_dates("%Y-%m-%d")), GroupSettings.from_toml(BASE))
    assert (the_column(report).kind, the_column(report).date_format) == ("date", None)
    assert report.verdict == "accept"


UNDECIDED = {
    "slashes": (of_dates("%d/%m/%Y", days=12), "%d/%m/%Y", "%m/%d/%Y"),
    "dots": (of_dates("%d.%m.%Y", days=12), "%d.%m.%Y", "%m.%d.%Y"),
    "two-digit years": (of_dates("%m/%d/%y", days=12), "%d/%m/%y", "%m/%d/%y"),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_dates_of_which_no_day_is_above_12_are_asked_about_with_both_notations(
    case: str, tmp_path: Path
) -> None:
    values, day_first, month_first = UNDECIDED[case]
    path = a_file(tmp_path, values)
    report = validate(path, GroupSettings.from_toml(BASE))
    (finding,) = findings(report, "date_format")
    assert finding.severity == "warn"
    assert finding.accept_with is not None
    assert day_first in finding.accept_with
    assert month_first in finding.accept_with
    assert the_column(report).date_format == "undecided"
    needed = GroupSettings.from_toml(BASE + 'time_column = "x"\n')
    assert [f.severity for f in findings(validate(path, needed), "date_format")] == ["reject"]
    for notation in (day_first, month_first):
        stated = GroupSettings.from_toml(f'{BASE}[columns.x]\nkind = "date"\ndateformat = "{notation}"\n')
        assert not findings(validate(path, stated), "date_format")
        assert load_table(path, stated).columns["x"].date_format == notation


def test_a_day_above_12_far_down_the_file_decides_for_all_rows(tmp_path: Path) -> None:
    rows = 60_000
    path = a_file(
        tmp_path, lambda row: f"0{1 + row % 9}/02/2021" if row < rows - 5 else "25/02/2021", rows=rows
    )
    assert path.stat().st_size > 1024 * 1024, "more than the first block"
    table = load_table(path)
    assert table.columns["x"].date_format == "%d/%m/%Y"
    assert read_dates(table["x"], "%d/%m/%Y").dt.month.unique().tolist() == [2]


def test_times_may_be_absent_at_midnight(tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: "14/03/2021" if row % 4 == 0 else f"15/03/2021 1{row % 9}:05")
    table = load_table(path)
    assert table.columns["x"].date_format == "%d/%m/%Y %H:%M"
    assert read_dates(table["x"], "%d/%m/%Y %H:%M").notna().all()
    assert not table.unreadable


@pytest.mark.parametrize(
    ("name", "factor", "notation"),
    [("visit_date", 1, "epoch_s"), ("created_at", 1000, "epoch_ms"), ("updated_at", 1_000_000, "epoch_us")],
)
def test_numbers_in_a_column_named_as_a_date_are_times_since_1970(
    name: str, factor: int, notation: str, tmp_path: Path
) -> None:
    path = a_file(tmp_path, lambda row: str((1_600_000_000 + row * 98_765) * factor), name=name)
    table = load_table(path)
    assert (table.columns[name].kind, table.columns[name].date_format) == ("date", notation)
    assert read_dates(table[name], notation)[0] == pd.Timestamp("2020-09-13T12:26:40Z")


@pytest.mark.parametrize("factor", [1, 1000, 1_000_000])
def test_numbers_of_the_size_of_times_under_another_name_are_asked_about(factor: int, tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: str((1_600_000_000 + row * 98_765) * factor))
    report = validate(path, {"target": "left"})
    assert the_column(report).kind == "integer"
    assert [f.severity for f in findings(report, "date_format")] == ["warn"]


def spaced(pattern: str) -> Values:
    """Digits in the places of `0`, which differ from row to row."""

    def value(row: int) -> str:
        digits = iter(f"{(row * 7919 + 104_729) * 30_011:030d}"[::-1])
        return "".join(str(int(next(digits)) % 9 + 1) if mark == "0" else mark for mark in pattern)

    return value


CODES: dict[str, Values] = {
    "versions": lambda row: f"{1 + row % 3}.{row * 7 % 12}.{row * 5 % 30}",
    "long versions": lambda row: f"{1 + row % 3}.{row % 12}.{row * 5 % 30}.{row % 7}",
    "addresses": lambda row: f"10.{row % 4}.{row * 3 % 250}.{row * 7 % 250}",
    "Swedish postcodes": spaced("000 00"),
    "Indian postcodes": spaced("000 000"),
    "telephone numbers": spaced("070-000 00 00"),
    "numbers of parts": spaced("000.0000.000"),
    "numbers of firms": spaced("000 000 000"),
    "organisation numbers": spaced("000000-0000"),
    "grades": cycle("A-", "B+", "C", "A", "B-"),
    "grades with a minus": cycle("1", "2-", "3", "3-", "4", "1-", "2"),
    "bit masks": lambda row: hex(row * 7919),
    "wards": lambda row: f"{1 + row % 9}E{1 + row * 5 % 8}",
    "wards of several letters": lambda row: f"{1 + row % 9}{'EEEED'[row % 5]}{1 + row * 5 % 8}",
    "diagnoses": lambda row: f"{'EIJK'[row % 4]}{10 + row * 7 % 60}.{row % 9}",
    "diagnoses of the ninth revision": lambda row: (
        f"V{45 + row % 20}.{row % 9}" if row % 20 == 0 else f"{250 + row * 3 % 300}.{row % 9}"
    ),
    "diagnoses, one of them with a letter": lambda row: (
        "V45.81" if row % 30 == 0 else f"{250 + row * 3 % 300}.{row % 9}"
    ),
    "diagnoses with few leading zeros": lambda row: (
        "038.9" if row % 70 == 0 else f"{250 + row * 3 % 300}{('', '.0', '.00', '.81')[row % 4]}"
    ),
    "diagnoses of two fixed decimals": lambda row: f"{8 + row * 7 % 600:03d}.{row % 90:02d}",
    "procedures": lambda row: f"{row * 7 % 99:02d}.{row % 10}",
    "drugs": lambda row: f"A{10 + row % 9}BA0{row % 9}",
    "signed codes": lambda row: f"-0{1 + row * 3 % 80}",
    "Indian grouping": lambda row: f"{1 + row % 9},{10 + row % 80},{10 + row % 70}",
    "leading zeros": lambda row: f"{row * 37 % 990:05d}",
    "scores": lambda row: f"{row % 9}:{row % 5}",
    "school years": lambda row: f"{2010 + row % 12}/{11 + row % 12}",
    "ranges": lambda row: f"{10 * (row % 9)}-{10 * (row % 9) + 9}",
}


@pytest.mark.parametrize("case", CODES)
def test_digits_that_are_no_amounts_stay_text(case: str, tmp_path: Path) -> None:
    values = CODES[case]
    path = a_file(tmp_path, values, delimiter=";" if "," in values(0) else ",")
    report = validate(path, GroupSettings.from_toml(BASE))
    assert the_column(report).kind in ("category", "text")
    about = [finding for finding in report.findings if finding.column == "x"]
    assert "reject" not in {finding.severity for finding in about}, about
    assert not findings(report, "type_mismatch")
    table = load_table(path, GroupSettings.from_toml(BASE))
    assert table["x"].tolist()[:3] == [values(row) for row in range(3)]


@pytest.mark.parametrize("case", ["wards", "wards of several letters"])
def test_codes_with_an_e_are_never_read_as_exponents_in_silence(case: str, tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, CODES[case]), GroupSettings.from_toml(BASE))
    assert [finding.severity for finding in findings(report, "codes")] == ["warn"]


def amount(pattern: str, *, thousands: str = ",", decimal: str = ".", digits: int = 2) -> Values:
    """Amounts from 3 to some millions in a notation; `{}` is where the number is."""

    def value(row: int) -> str:
        number = 3 + row**3 + row % 7 / 4
        text = f"{number:,.{digits}f}".translate(str.maketrans({",": "\0", ".": decimal}))
        return pattern.format(text.replace("\0", thousands))

    return value


def the_amount(row: int, digits: int = 2) -> float:
    return round(3 + row**3 + row % 7 / 4, digits)


AMOUNTS: dict[str, Values] = {
    "dollars": amount("${}"),
    "dollars with their country": amount("US$ {}"),
    "euros before": amount("€ {}", thousands=".", decimal=","),
    "euros after": amount("{} €", thousands=".", decimal=","),
    "crowns": amount("{} kr", thousands=" ", decimal=","),
    "crowns with narrow blanks": amount("{} kr", thousands="\u202f", decimal=","),
    "codes of currencies": amount("USD {}"),
    "francs": amount("CHF {}", thousands="'"),
    "commas": amount("{}"),
    "points": amount("{}", thousands=".", decimal=","),
    "blanks": amount("{}", thousands="\u00a0", decimal=","),
    "apostrophes": amount("{}", thousands="’"),
    "percent": amount("{}%", thousands=""),
    "percent with a blank and a comma": amount("{} %", thousands="", decimal=","),
    "decimal commas": amount("{}", thousands="", decimal=","),
}


@pytest.mark.parametrize("case", AMOUNTS)
def test_amounts_of_one_notation_are_numbers(case: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, AMOUNTS[case])
    report = validate(path, GroupSettings.from_toml(BASE))
    assert the_column(report).kind == "number"
    assert report.verdict == "warn"
    assert len(findings(report, "number_format")) == 1
    expected = [the_amount(row) for row in range(ROWS)]
    assert load_table(path)["x"].tolist() == pytest.approx(expected)
    assert read_table(path)["x"].tolist() == pytest.approx(expected)
    assert pd.concat(list(read_pieces(path)))["x"].tolist() == pytest.approx(expected)
    frame = pd.read_csv(path, dtype={"x": str})
    assert Table.from_frame(frame)["x"].tolist() == pytest.approx(expected)


def test_the_same_contract_reads_a_file_that_shows_no_notation(tmp_path: Path) -> None:
    contract = validate(a_file(tmp_path, AMOUNTS["euros before"]), {"target": "left"}).contract
    table = load_table(a_file(tmp_path, lambda row: f"€ 1.{row:03d}", rows=20), contract=contract)
    assert table["x"].tolist() == [1000 + row for row in range(20)]


def indian(number: int) -> str:
    """A whole number with a group of three digits and groups of two before it: 1,23,456."""
    digits, groups = str(number), list[str]()
    head, last = digits[:-3], digits[-3:]
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    return ",".join([*groups, last])


@pytest.mark.parametrize("pattern", ["{}", "₹ {}", "Rs. {}.50", "-{}"])
def test_numbers_in_groups_of_lakhs_are_numbers(pattern: str, tmp_path: Path) -> None:
    numbers = [5 + row**4 for row in range(ROWS)]
    path = a_file(tmp_path, lambda row: pattern.format(indian(numbers[row])))
    report = validate(path, GroupSettings.from_toml(BASE))
    assert the_column(report).kind in ("integer", "number")
    assert [finding.severity for finding in findings(report, "number_format")] == ["warn"]
    sign, fraction = (-1 if pattern[0] == "-" else 1), (0.5 if ".50" in pattern else 0.0)
    assert load_table(path)["x"].tolist() == [sign * (number + fraction) for number in numbers]


FRACTIONS: dict[str, Values] = {
    "a fixed number of digits": lambda row: f"{row % 50}.{row * 37 % 100:02d}",
    "as few digits as are needed": lambda row: f"{row % 50 + row * 37 % 100 / 100:g}",
    "written by hand": cycle("12.5", "12.50", "3.75", "4.05"),
    "tenths up to nine and a half": lambda row: f"{row % 9}.{row * 7 % 10}",
    "negative ones": cycle("-1.1", "-1.10", "2.3"),
}


@pytest.mark.parametrize("case", FRACTIONS)
def test_fractions_are_not_taken_for_versions(case: str, tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, FRACTIONS[case]), GroupSettings.from_toml(BASE))
    assert the_column(report).kind == "number"
    assert not findings(report, "codes")


def test_a_column_that_is_read_once_more_keeps_the_questions_about_others_open(tmp_path: Path) -> None:
    rows = 60_000
    lines = ["day,mark,version,left"]
    for row in range(rows):
        day = f"0{1 + row % 9}/02/2021" if row < rows - 5 else "25/02/2021"
        mark = f"{10 + row % 80}.{100 + row % 800}" if row % 2 else str(100 + row % 90)
        lines.append(f"{day};{mark};3.{8 + row % 4};{'yes' if row * row % 5 < 3 else 'no'}")
    path = tmp_path / "file.csv"
    path.write_text("\n".join([lines[0].replace(",", ";"), *lines[1:]]) + "\n")
    report = validate(path, GroupSettings.from_toml(BASE))
    assert [f.column for f in findings(report, "ambiguous_thousands")] == ["mark"]
    assert [f.column for f in findings(report, "codes")] == ["version"]


def test_negative_amounts_of_accountants_are_in_parentheses(tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: f"(1,{row:03d})" if row % 3 else f"2,{row:03d}")
    expected = [-1000 - row if row % 3 else 2000 + row for row in range(ROWS)]
    assert load_table(path)["x"].tolist() == expected


def test_several_currencies_in_one_column_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: f"{'$€'[row % 2]}{row}.50")
    report = validate(path, GroupSettings.from_toml(BASE))
    (finding,) = findings(report, "type_mismatch")
    assert (finding.severity, finding.accept_with) == ("reject", '[columns.x]\nkind = "category"')


def test_separators_that_appear_late_are_read_as_well(tmp_path: Path) -> None:
    rows = 120_000
    path = a_file(tmp_path, lambda row: str(row % 900) if row < rows - 5 else "1,234", rows=rows)
    table = load_table(path)
    assert table["x"].iloc[[0, -1]].tolist() == [0, 1234]
    assert not table.unreadable


AMBIGUOUS = {
    "points": lambda row: f"{10 + row % 80}.{100 + row % 800}" if row % 2 else str(100 + row),
    "commas": lambda row: f"{10 + row % 80},{100 + row % 800}" if row % 2 else str(100 + row),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_mark_before_three_digits_is_asked_about_in_files_of_semicolons(case: str, tmp_path: Path) -> None:
    values = AMBIGUOUS[case]
    path = a_file(tmp_path, values, delimiter=";")
    (finding,) = findings(validate(path, GroupSettings.from_toml(BASE)), "ambiguous_thousands")
    assert finding.severity == "warn"
    stated = GroupSettings.from_toml(BASE + str(finding.accept_with))
    assert not findings(validate(path, stated), "ambiguous_thousands")
    expected = [float(values(row).replace(".", "").replace(",", "")) for row in range(ROWS)]
    assert load_table(path, stated)["x"].tolist() == expected


@pytest.mark.parametrize(
    "values",
    [
        lambda row: f"0.{100 + row}" if row % 2 else f"{row}.250",
        lambda row: f"{row}.25" if row % 2 else f"{row}.125",
        lambda row: f"{row}.125" if row % 2 else str(5_000 + row),
    ],
)
def test_fractions_that_are_no_thousands_cause_no_question(values: Values, tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, values, delimiter=";"), {"target": "left"})
    assert not findings(report, "ambiguous_thousands")


@pytest.mark.parametrize("cell", ["00", "07", "000", "038.9"])
@pytest.mark.parametrize("first", [0, 10])
def test_a_cell_like_a_code_among_decimals_leaves_a_column_of_numbers(
    first: int, cell: str, tmp_path: Path
) -> None:
    path = a_file(tmp_path, lambda row: cell if row == 77 else f"{first + row % 50}.{1 + row % 9}")
    report = validate(path, GroupSettings.from_toml(BASE))
    assert the_column(report).kind == "number"
    (finding,) = findings(report, "codes")
    assert (finding.severity, finding.lines) == ("warn", (79,))


@pytest.mark.parametrize(
    "values",
    [
        lambda row: f"{row % 50 / 100:.2f}",
        lambda row: f"{3 + row % 90}.{row % 100:02d}",
        lambda row: f"{36 + row % 4}.{row % 10}",
        lambda row: f"{row % 300}{('', '.0', '.5', '.25')[row % 4]}",
        lambda row: f"-0.{row % 100:02d}",
    ],
)
def test_decimals_without_a_zero_before_other_digits_are_numbers(values: Values, tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, values), GroupSettings.from_toml(BASE))
    assert the_column(report).kind == "number"
    assert not findings(report, "codes")


def test_the_namibian_code_is_offered_as_a_level(tmp_path: Path) -> None:
    path = a_file(tmp_path, cycle("NA", "ZA", "BW", "NA", "AO"))
    (finding,) = findings(validate(path, GroupSettings.from_toml(BASE)), "na_tokens")
    assert finding.severity == "warn"
    stated = GroupSettings.from_toml(BASE + str(finding.accept_with))
    report = validate(path, stated)
    assert not findings(report, "na_tokens")
    assert the_column(report).levels == ("AO", "BW", "NA", "ZA")
    for table in (
        load_table(path, stated),
        load_table(pd.read_csv(path, keep_default_na=False), stated),
    ):
        assert table["x"].tolist()[:3] == ["NA", "ZA", "BW"]
        assert not table["x"].hasnans


DECLARED: dict[str, tuple[Values, str, str]] = {
    "a number": (lambda row: "-999" if row % 9 == 0 else f"{row % 7}.5", "-999", "number"),
    "a number written with a fraction": (
        lambda row: "-999.0" if row % 9 == 0 else f"{row % 7}.5",
        "-999",
        "number",
    ),
    "a word among numbers": (lambda row: "refused" if row % 9 == 0 else str(row % 40), "refused", "integer"),
    "a word": (lambda row: "refused" if row % 9 == 0 else "ab"[row % 2], "refused", "category"),
    "digits": (lambda row: "999" if row % 9 == 0 else f"{row * 7 % 20:03d}", "999", "category"),
    "a date": (lambda row: "1900-01-01" if row % 9 == 0 else of_dates("%Y-%m-%d")(row), "1900-01-01", "date"),
    "a day first": (
        lambda row: "01.01.1900" if row % 9 == 0 else of_dates("%d.%m.%Y")(row),
        "01.01.1900",
        "date",
    ),
}


@pytest.mark.parametrize("where", ["column", "format"])
@pytest.mark.parametrize("case", DECLARED)
def test_a_declared_spelling_of_missing_is_missing_wherever_the_column_is_read(
    case: str, where: str, tmp_path: Path
) -> None:
    values, token, kind = DECLARED[case]
    lines = f'[columns.x]\nmissing = ["{token}"]' if where == "column" else f'[format]\nnullstr = ["{token}"]'
    settings = GroupSettings.from_toml(f"{BASE}{lines}\n")
    path = a_file(tmp_path, values)
    report = validate(path, settings)
    gaps = [row for row in range(ROWS) if row % 9 == 0]
    assert the_column(report).kind == kind
    assert the_column(report).missing_share == pytest.approx(len(gaps) / ROWS, abs=1e-6)
    dtype = None if kind in ("number", "integer") and case != "a word among numbers" else {"x": str}
    tables = {
        "load_table": load_table(path, settings)["x"],
        "read_table": read_table(path, settings=settings)["x"],
        "read_pieces": pd.concat(list(read_pieces(path, settings=settings)))["x"],
        "from_frame": load_table(pd.read_csv(path, dtype=dtype), settings)["x"],
    }
    if where == "column":
        assert report.contract is not None
        tables["with the contract alone"] = load_table(path, contract=report.contract)["x"]
    for name, column in tables.items():
        assert column.index[column.isna()].tolist() == gaps, name


@pytest.mark.parametrize("kind", ["category", "text"])
@pytest.mark.parametrize("values", [lambda row: f"0{row % 7}", cycle("1", "2"), cycle("1.50", "2", "3E4")])
def test_a_stated_kind_holds_for_digits(kind: str, values: Values, tmp_path: Path) -> None:
    settings = GroupSettings.from_toml(f'{BASE}[columns.x]\nkind = "{kind}"\n')
    path = a_file(tmp_path, values)
    taught = validate(path, settings).contract
    assert taught is not None
    contract = next_contract(None, taught, settings)
    frame = pd.read_csv(path, dtype={"x": str})
    for table in (
        load_table(path, settings),
        load_table(path, contract=contract),
        load_table(frame, settings),
    ):
        assert table.columns["x"].kind == kind
        assert table["x"].tolist()[:3] == [values(row) for row in range(3)]


@pytest.mark.parametrize("name", ["account", "policy_no", "InvoiceNumber", "claim number", "contract"])
def test_unique_numbers_of_accounts_are_offered_as_ids(name: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: str(5_000_000 + row * 7919 % 999_983), name=name)
    (finding,) = findings(validate(path, GroupSettings.from_toml(BASE)), "id_like")
    report = validate(path, GroupSettings.from_toml(f"{finding.accept_with}\n{BASE}"))
    assert the_column(report, name).role == "id"
    assert not findings(report, "id_like")


def test_counts_of_things_are_no_ids(tmp_path: Path) -> None:
    report = validate(a_file(tmp_path, lambda row: str(row % 40), name="visits"), {"target": "left"})
    assert not findings(report, "id_like")


def test_a_scoring_file_is_read_by_the_decisions_of_the_contract(tmp_path: Path) -> None:
    cases: Sequence[tuple[Values, Values, str]] = [
        (of_dates("%d/%m/%Y"), cycle("03/04/2021"), "date"),
        (lambda row: f"{row:05d}", cycle("10115"), "code"),
        (lambda row: f"{row}.5", cycle("7"), "number"),
        (cycle("a", "b", "7"), cycle("7"), "category"),
    ]
    for training, scoring, kind in cases:
        contract = validate(a_file(tmp_path, training), {"target": "left"}).contract
        assert contract is not None
        table = load_table(a_file(tmp_path, scoring, rows=3), contract=contract)
        expected = "category" if kind == "code" else kind
        assert table.columns["x"].kind in (expected, "text", "code"), kind
    dates = load_table(a_file(tmp_path, cycle("03/04/2021")), contract=Contract((
        ColumnContract("x", "date", "feature", date_format="%d/%m/%Y"),)))  # fmt: skip
    assert read_dates(dates["x"], dates.columns["x"].date_format).dt.month.unique().tolist() == [4]


UNREADABLE: dict[str, tuple[Values, dict[str, object]]] = {
    "words among numbers": (lambda row: "many" if row % 20 == 3 else str(row), {}),
    "other dates among dates": (
        lambda row: "sometime" if row % 20 == 3 else of_dates("%d.%m.%Y")(row),
        {},
    ),
    "numbers in another notation": (
        lambda row: "1,5" if row % 20 == 3 else f"{row}.5",
        {"columns": {"x": {"kind": "number"}}},
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_cells_that_do_not_fit_are_counted_with_their_lines(case: str, tmp_path: Path) -> None:
    values, config = UNREADABLE[case]
    settings = GroupSettings.from_config({"target": "left", **config})
    path = a_file(tmp_path, values)
    frame = pd.read_csv(path, dtype={"x": str})
    lines = tuple(row + 2 for row in range(ROWS) if row % 20 == 3)
    for unreadable in (
        load_table(path, settings).unreadable,
        read_pieces(path, settings=settings).unreadable,
        load_table(frame, settings).unreadable,
    ):
        assert list(unreadable) == ["x"]
        assert (unreadable["x"].count, unreadable["x"].lines) == (len(lines), lines)
        assert unreadable["x"].examples == (values(3),)


SIGNS: dict[str, Values] = {
    "behind": lambda row: f"{row * 7 % 90}.25" + "-" * (row % 3 == 0),
    "in parentheses": lambda row: f"({row * 7 % 90}.25)" if row % 3 == 0 else f"{row * 7 % 90}.25",
    "another minus": lambda row: "\u2212" * (row % 3 == 0) + f"{row * 7 % 90}.25",
}


@pytest.mark.parametrize("case", SIGNS)
def test_negative_numbers_with_another_sign_are_read_and_named_also_at_scoring(
    case: str, tmp_path: Path
) -> None:
    path = a_file(tmp_path, SIGNS[case])
    report = validate(path, GroupSettings.from_toml(BASE))
    assert [finding.rule_id for finding in report.findings if finding.column == "x"] == ["number_format"]
    expected = [(row * 7 % 90 + 0.25) * (-1 if row % 3 == 0 else 1) for row in range(ROWS)]
    assert read_table(path, report.contract, GroupSettings.from_toml(BASE))["x"].tolist() == expected
    assert Contract.from_json(report.contract.to_json()) == report.contract
    later = a_file(tmp_path, lambda row: SIGNS[case](3 * row))
    assert read_table(later, report.contract, GroupSettings.from_toml(BASE))["x"].tolist()[1] == -21.25


def test_a_comma_before_an_exponent_is_a_decimal_mark(tmp_path: Path) -> None:
    path = a_file(tmp_path, lambda row: f"{1 + row % 9},{100 + row}e-0{1 + row % 5}", delimiter=";")
    assert load_table(path)["x"].tolist()[:2] == [1.1e-1, 2.101e-2]


def test_a_stated_order_of_day_and_month_that_the_file_contradicts_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, of_dates("%d/%m/%Y"))
    stated = GroupSettings.from_toml(f'{BASE}[format]\ndateformat = "%m/%d/%Y"\n')
    (finding,) = findings(validate(path, stated), "date_format")
    assert finding.severity == "reject"
    accepted = GroupSettings.from_toml(f'{BASE}[format]\ndateformat = "%m/%d/%Y"\n{finding.accept_with}\n')
    report = validate(path, accepted)
    assert (report.verdict, the_column(report).date_format) == ("accept", "%d/%m/%Y")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (lambda row: "not measured" if row % 40 == 0 else str(90 + row % 60), "not measured"),
        (lambda row: "not measured" if row % 7 == 0 else str(90 + row % 60), "not measured"),
        (lambda row: "0000-00-00" if row % 9 == 0 else of_dates("%Y-%m-%d")(row), "0000-00-00"),
    ],
)
def test_one_word_for_missing_is_offered_as_such(values: Values, word: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, values)
    (finding,) = [f for f in validate(path, GroupSettings.from_toml(BASE)).findings if f.column == "x"]
    assert f'missing = ["{word}"]' in str(finding.accept_with)
    report = validate(path, GroupSettings.from_toml(f"{BASE}{finding.accept_with}\n"))
    assert [finding for finding in report.findings if finding.column == "x"] == []
    assert the_column(report).kind in ("integer", "number", "date")
