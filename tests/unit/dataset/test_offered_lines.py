"""Every rule that offers lines for `model.toml` has a file for which they change the outcome."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.parts.validate_parts import validate_parts
from mlops.dataset.validation.reading import load_table
from mlops.dataset.validation.rule import Rule
from mlops.dataset.validation.rules import RULES
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.test_remedies import LATER, OFFERS, SEVERITIES

ROWS = 150
TARGET = 'target = "left"\n'
KINDS = ("red", "green", "blue")


def label(row: int) -> str:
    return "yes" if (row * row + row // 3) % 5 < 3 else "no"


def rows(mark: str = ",") -> list[str]:
    return [mark.join((str(18 + row * 37 % 70), KINDS[row % 3], label(row))) for row in range(ROWS)]


def of_two(header: str, values: Callable[[int], str]) -> str:
    """A table of a column and the target."""
    return "\n".join([header, *(f"{values(row)},{label(row)}" for row in range(ROWS))]) + "\n"


def a_table(header: str = "age,kind,left", mark: str = ",", *, above: str = "") -> str:
    return "\n".join([above + header, *rows(mark)]) + "\n"


def with_row(text: str, row: str) -> str:
    """The table with one more row in its middle."""
    lines = text.splitlines()
    return "\n".join([*lines[:70], row, *lines[70:]]) + "\n"


@dataclass(frozen=True)
class Offer:
    """A file, what is stated when the rule judges it, and the first file of the group if there was one.

    `target` is the line of the target, which is stated before and after.
    """

    text: str
    stated: str = ""
    first: str | None = None
    encoding: str = "utf-8"
    target: str = TARGET


FILES: dict[str, Offer] = {
    "pii": Offer(
        "\n".join(
            [
                "contact,age,left",
                *(f"p{row % 40}@example.org,{18 + row % 60},{label(row)}" for row in range(ROWS)),
            ]
        )
        + "\n"
    ),
    "bad_quoting": Offer(with_row(a_table(), '31,"red"dish,no')),
    "field_too_large": Offer(with_row(a_table(), f"31,{'red' * 400_000},no")),
    "footer_row": Offer(a_table() + "Total,150\n"),
    "repeated_header": Offer(with_row(a_table(), "age,kind,left")),
    "unclosed_quote": Offer(with_row(a_table(), '31,"red,no')),
    "comments": Offer(a_table(above="# exported from the registry\n")),
    "control_chars": Offer(a_table("age,ki\x07nd,left")),
    "duplicate_columns": Offer(a_table("kind,Kind,left")),
    "empty_file": Offer(a_table(), "[format]\nskip = 900\n"),
    "empty_header": Offer(a_table("age,,left")),
    "encoding": Offer(
        a_table().replace("red", "rosé"), '[format]\nencoding = "utf-8"\n', encoding="windows-1252"
    ),
    "extra_columns": Offer(a_table(), first=of_two("age,left", lambda row: str(18 + row * 37 % 70))),
    "header_too_long": Offer(a_table(f"age,{'k' * 600},left")),
    "id_like": Offer(of_two("account,left", lambda row: str(70_000 + row * 7919 % 10_007))),
    "many_classes": Offer(
        a_table("age,left,seen").replace(",yes", ",2024-01-05").replace(",no", ",2024-03-09"), target=""
    ),
    "missing_columns": Offer(a_table("44,red,no")),
    "mixed_types": Offer(of_two("x,left", lambda row: "not measured" if row % 7 == 0 else str(row % 60))),
    "no_features": Offer(of_two("seen,left", lambda row: f"{2010 + row % 9}-0{1 + row % 8}-1{row % 7}")),
    "preamble": Offer(a_table(above="Registry of patients\n\n")),
    "ragged_row": Offer(with_row(a_table(), "#31")),
    "rare_class": Offer(with_row(a_table(), "31,red,maybe")),
    "row_names": Offer(a_table("kind,left")),
    "single_column": Offer(a_table("age kind left", " ")),
    "single_quotes": Offer(a_table("'age','kind','left'").replace("red", "'red'")),
    "stated_format": Offer(a_table(), '[format]\ndelim = ";"\n'),
    "second_header": Offer(
        of_two("age,dose,left", lambda row: f"{18 + row * 37 % 70},{row % 9}").replace("\n", "\ny,mg,\n", 1)
    ),
    "target_numbers": Offer(
        a_table().replace(",yes", ",1").replace(",no", ",0").replace(",1\n", ",2\n", 1), target=TARGET
    ),
    "index_column": Offer(of_two("X,age,left", lambda row: f"{row * 4},{18 + row * 37 % 70}")),
    "missing_target": Offer(a_table(), 'target = "lefft"\n', target=""),
    "unknown_label": Offer(a_table().replace("yes", "perhaps"), first=a_table()),
}


OTHERS: dict[str, tuple[str, Offer]] = {
    "a header that is not quoted well": (
        "bad_quoting",
        Offer(a_table('"age","kind","left"'), '[format]\ndelim = ";"\n'),
    ),
    "row numbers in the last column": (
        "many_classes",
        Offer(
            "\n".join(["age,left,row", *(f"{18 + n * 37 % 70},{label(n)},{n + 1}" for n in range(ROWS))])
            + "\n",
            target="",
        ),
    ),
    "one value in the last column": (
        "single_class",
        Offer(a_table("age,left,kind").replace(",yes", ",1").replace(",no", ",1"), target=""),
    ),
    "more fields": ("ragged_row", Offer(with_row(a_table(), "31,red,no,no"))),
    "fewer fields": ("ragged_row", Offer(with_row(a_table(), "31,red"))),
    "a header with more names": ("ragged_row", Offer(a_table("age,kind,left,other"))),
    "a quote that another one closes": (
        "unclosed_quote",
        Offer(with_row(a_table(), '31,"red,no') + '31,red",no\n'),
    ),
    "several headers": (
        "repeated_header",
        Offer(with_row(with_row(a_table(), "age,kind,left"), "age,kind,left")),
    ),
}


def judged(offer: Offer, folder: Path, stated: str) -> ValidationReport:
    path, settings, contract = folder / "file.csv", GroupSettings.from_toml(stated), None
    if offer.first is not None:
        path.write_text(offer.first)
        contract = learn_contract(path, GroupSettings.from_toml(TARGET))
    path.write_bytes(offer.text.encode(offer.encoding))
    return validate(path, settings, contract)


def of_rule(report: ValidationReport, rule_id: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule_id == rule_id]


@pytest.mark.parametrize("case", [*FILES, *OTHERS])
def test_the_lines_that_a_rule_offers_change_the_outcome(case: str, tmp_path: Path) -> None:
    rule_id, offer = OTHERS[case] if case in OTHERS else (case, FILES[case])
    before = of_rule(judged(offer, tmp_path, offer.target + offer.stated), rule_id)
    offered = [finding for finding in before if finding.accept_with]
    assert offered, before
    for finding in offered:
        after = of_rule(judged(offer, tmp_path, f"{offer.target}{finding.accept_with}"), rule_id)
        worst = max((SEVERITIES.index(each.severity) for each in after), default=-1)
        assert worst < SEVERITIES.index(finding.severity), after


BAD_ROWS = {
    "other widths": ["31,red", "31,red,no,no"],
    "the header again": ["age,kind,left"],
    "quotes inside of fields": ['31,"red"dish,no'],
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_rows_that_cannot_be_read_are_left_out_where_that_is_stated(case: str, tmp_path: Path) -> None:
    text = a_table()
    for row in BAD_ROWS[case]:
        text = with_row(text, row)
    stated = f"{TARGET}[format]\nignore_errors = true\n"
    report = judged(Offer(text), tmp_path, stated)
    assert (report.verdict, report.n_rows) == ("warn", ROWS)
    good = load_table(tmp_path / "file.csv", GroupSettings.from_toml(stated))
    (tmp_path / "file.csv").write_text(a_table())
    assert good.frame.equals(load_table(tmp_path / "file.csv").frame)


def test_a_file_of_bad_rows_is_refused_whatever_is_stated(tmp_path: Path) -> None:
    lines = [line if n % 3 == 0 else f"{line},more" for n, line in enumerate(a_table().splitlines())]
    report = judged(Offer("\n".join(lines)), tmp_path, f"{TARGET}[format]\nignore_errors = true\n")
    assert report.verdict == "reject"


def test_no_row_of_a_file_to_score_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(with_row(a_table(), "31,red"))
    settings = GroupSettings.from_toml(f"{TARGET}[format]\nignore_errors = true\n")
    report = validate(path, settings, purpose="inference")
    assert [(f.severity, f.accept_with) for f in of_rule(report, "ragged_row")] == [("reject", None)]
    with pytest.raises(SettingsError, match="gets an answer"):
        GroupSettings.from_toml("[format.inference]\nignore_errors = true\n")


def test_parts_of_a_table_leave_the_same_rows_out(tmp_path: Path) -> None:
    parts = [tmp_path / f"{number}.csv" for number in range(2)]
    for part in parts:
        part.write_text(with_row(a_table(), "31,red"))
    settings = GroupSettings.from_toml(f"{TARGET}[format]\nignore_errors = true\n")
    report = validate_parts(parts, settings)
    assert report.n_rows == 2 * ROWS
    assert [finding.severity for finding in of_rule(report, "ragged_row")] == ["warn"]


def test_a_first_row_that_occurs_again_is_no_repeated_header(tmp_path: Path) -> None:
    first, *others = rows()
    report = judged(Offer("\n".join([first, first, *others]) + "\n"), tmp_path, TARGET)
    assert [finding.rule_id for finding in report.of_severity("reject")] == ["missing_columns"]


def test_a_footer_that_is_as_wide_as_the_table_is_named_with_its_line(tmp_path: Path) -> None:
    wide = "\n".join(["a,b,c,left", *(f"{row % 9},x{row % 3},{row % 7},{label(row)}" for row in range(ROWS))])
    (finding,) = of_rule(judged(Offer(f"{wide}\nTotal,,,\n"), tmp_path, TARGET), "footer_row")
    assert (finding.lines, finding.advice) == ((152,), "Remove line 152 from the file.")


def with_gaps(last: str, first: Callable[[int], str], header: str = "ward") -> str:
    """A table of a first column, two columns of numbers and the target, with another row at its end."""
    records = (f"{first(row)},{row % 9}.5,{row % 7},{label(row)}" for row in range(ROWS))
    return "\n".join([f"{header},dose,age,left", *records, last]) + "\n"


ALIKE = {
    "a row with the same first cell": with_gaps("north,see,below,", lambda row: ("north", "south")[row % 2]),
    "a row whose first cell begins so": with_gaps("Total,see,below,", lambda row: f"Total{row % 5}"),
    "a number": with_gaps("5,see,below,", str),
    "a spelling of a missing value": with_gaps("-,see,below,", lambda row: str(row) if row % 9 else "-"),
    "the header": with_gaps("Total,see,below,", lambda row: f"w{row % 5}", "Total cost"),
    "a cell in quotes": with_gaps('"Total","see","below",', lambda row: f'"w{row % 5}"'),
    "a space before the footer": with_gaps(" Total,see,below,", lambda row: f"w{row % 5}"),
}


@pytest.mark.parametrize("case", ALIKE)
def test_a_footer_is_no_comment_where_other_lines_would_be_left_out_or_it_would_stay(
    case: str, tmp_path: Path
) -> None:
    (finding,) = of_rule(judged(Offer(ALIKE[case]), tmp_path, TARGET), "footer_row")
    assert finding.accept_with is None


def test_numbers_below_the_beginning_of_a_table_are_no_comments(tmp_path: Path) -> None:
    wards = [*(100 + row for row in range(60)), *(70 + row % 9 for row in range(450)), "unknown"]
    records = (f"{ward},{row % 9}.5,{row % 7},{'x' * 20_000},{label(row)}" for row, ward in enumerate(wards))
    text = "\n".join(["ward,dose,age,note,left", *records, "7,see,below,,"]) + "\n"
    (finding,) = of_rule(judged(Offer(text), tmp_path, TARGET), "footer_row")
    assert finding.accept_with is None


def test_a_footer_that_no_other_row_begins_with_is_left_out_alone(tmp_path: Path) -> None:
    offer = Offer(with_gaps("Total,see,below,", lambda row: f"w{row % 5}"))
    (finding,) = of_rule(judged(offer, tmp_path, TARGET), "footer_row")
    report = judged(offer, tmp_path, f"{TARGET}{finding.accept_with}")
    assert (report.verdict, report.n_rows) == ("accept", ROWS)


def test_quotes_are_no_ordinary_characters_where_they_enclose_fields(tmp_path: Path) -> None:
    text = with_row(a_table().replace("red", '"red"', 1), '31,"red,no')
    (finding,) = of_rule(judged(Offer(text), tmp_path, TARGET), "unclosed_quote")
    assert finding.accept_with is None


LONG = "left_the_study_before_the_end_of_the_second_year_of_treatment"


@pytest.mark.parametrize("key", ["target", "time_column"])
def test_a_long_name_is_proposed_as_a_whole(key: str, tmp_path: Path) -> None:
    stated = f'{key} = "{LONG.replace("second", "secnd")}"\n'
    if key != "target":
        stated += f'target = "{LONG}"\n'
    offer = Offer(a_table(f"age,kind,{LONG}"))
    (finding,) = judged(offer, tmp_path, stated).of_severity("reject")
    assert f"Did you mean '{LONG}'?" in str(finding.advice)
    if finding.accept_with:
        assert judged(offer, tmp_path, finding.accept_with).verdict == "accept"


@pytest.mark.parametrize("mark", [" ", "\x01", "\x1f"])
def test_a_table_is_read_with_the_separator_that_is_offered(mark: str, tmp_path: Path) -> None:
    offer = Offer(a_table(mark.join(("age", "kind", "left")), mark))
    (finding,) = judged(offer, tmp_path, TARGET).findings
    assert finding.rule_id == "single_column"
    report = judged(offer, tmp_path, f"{TARGET}{finding.accept_with}")
    assert (report.verdict, report.n_columns) == ("accept", 3)


def test_no_rule_offers_lines_without_a_file_that_shows_their_effect() -> None:
    tried = {rule_id for rule_id, _, _ in (*OFFERS.values(), *LATER.values())} | set(FILES)
    tried |= {rule_id for rule_id, _ in OTHERS.values()}
    assert {rule_id for rule_id, rule in RULES.items() if offers_lines(rule)} - tried == set()


def offers_lines(rule: Rule) -> bool:
    """Whether a rule, or a function of its module that it uses, passes `accept_with` to a finding."""
    module = sys.modules[rule.check.__module__]
    functions = {
        node.name: node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef)
    }
    reached, waiting = set[str](), [rule.check.__name__]
    while waiting:
        name = waiting.pop()
        if name in functions and name not in reached:
            reached.add(name)
            waiting += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
    keywords = (node for name in reached for node in ast.walk(functions[name]))
    return any(isinstance(node, ast.keyword) and node.arg == "accept_with" for node in keywords)
