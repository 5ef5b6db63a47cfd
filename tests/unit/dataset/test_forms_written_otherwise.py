"""Tables that are exported otherwise: one finding for one cause, and the lines that accept the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.dataset.form.encodings import with_newlines
from mlops.dataset.form.quoting import with_doubled_quotes
from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings

N_ROWS = 120
HEADER = ("age", "plan", "spend", "left")


def label(row: int) -> str:
    return "yes" if (row * row + row // 3) % 5 < 3 else "no"


def row_of(row: int) -> list[str]:
    return [
        str(18 + row * 37 % 60),
        ("gold", "silver", "basic")[row % 3],
        f"{row * 7 % 90}.{row % 9}",
        label(row),
    ]


def a_table(
    mark: str = ",", *, header: tuple[str, ...] = HEADER, plan: Callable[[int], str] | None = None
) -> str:
    rows = [row_of(row) for row in range(N_ROWS)]
    for row, cells in enumerate(rows):
        cells[1] = plan(row) if plan else cells[1]
    return "\n".join(mark.join(cells) for cells in [header, *rows]) + "\n"


def judge(tmp_path: Path, text: str, lines: str = "") -> ValidationReport:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode())
    return validate(path, GroupSettings.from_toml(lines))


def refusal(report: ValidationReport) -> Finding:
    [only] = report.of_severity("reject")
    return only


CURED: dict[str, tuple[str, str]] = {
    "an unusual separator": (a_table("!"), "single_column"),
    "a total as wide as the table": (a_table() + "Total,all,5000.0,\n", "footer_row"),
    "a note as wide as the table": (a_table() + "Source,hospital,of,2020\n", "footer_row"),
    "totals between the rows": (
        a_table().replace("\n19,", "\nSubtotal,,100.0,\n19,").replace("\n20,", "\nSubtotal,,90.0,\n20,"),
        "footer_row",
    ),
    "backslashes before quotes": (
        a_table(plan=lambda row: f'"{row_of(row)[1]} \\"plus\\""' if row % 9 == 0 else row_of(row)[1]),
        "bad_quoting",
    ),
    "spaces before quotes": (a_table(plan=lambda row: f' "{row_of(row)[1]}"'), "bad_quoting"),
    "a target that is written a little otherwise": (a_table(), "missing_target"),
    "units under the header": (a_table().replace("\n", "\nyears,name,EUR,yes/no\n", 1), "second_header"),
    "a header with a byte order mark between the rows": (a_table() + "\ufeff" + a_table(), "repeated_header"),
}


@pytest.mark.parametrize("case", CURED)
def test_one_finding_names_the_cause_and_its_lines_accept_the_file(tmp_path: Path, case: str) -> None:
    text, rule_id = CURED[case]
    before = 'target = "lefft"\n' if rule_id == "missing_target" else ""
    finding = refusal(judge(tmp_path, text, before))
    assert finding.rule_id == rule_id
    report = judge(tmp_path, text, str(finding.accept_with))
    assert report.verdict != "reject"
    assert report.n_rows == (2 * N_ROWS if "between" in case and "mark" in case else N_ROWS)
    assert len(report.columns) == len(HEADER)


def test_escaped_quotes_are_read_as_quotes(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(a_table(plan=lambda row: r'"a \"b\", c"' if row % 2 else r'"back\\"'))
    settings = GroupSettings.from_toml('[format]\nescape = "\\\\"\n')
    assert set(read_table(path, settings=settings)["plan"]) == {'a "b", c', r"back\\"}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_escapes_are_found_wherever_a_block_ends(size: int) -> None:
    text = rb'1,"a \"b\" \\",\\"x"' + b"\\"
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    assert b"".join(with_doubled_quotes(blocks, '"', "\\")) == rb'1,"a ""b"" \\",\\"x"' + b"\\"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_line_ends_are_the_same_wherever_a_block_ends_and_are_not_held_back(size: int) -> None:
    text = b"a\r\r\nb\rc\r\n" + b"\r" * 40 + b"\n" + b"\r" * 5
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    converted = list(with_newlines(blocks, "mixed"))
    assert b"".join(converted) == b"a\nb\nc\n" + b"\n" * 39 + b"\n" * 5
    assert max(map(len, converted)) <= size + 2


def test_a_comment_of_several_characters_leaves_out_what_begins_with_it(tmp_path: Path) -> None:
    text = a_table().replace("\n20,", '\n// of "May"\n20,').replace("\n21,", "\n/,gold,1.5,no\n21,")
    report = judge(tmp_path, text, '[format]\ncomment = "//"\n')
    assert report.n_rows == N_ROWS + text.count("\n/,")


@pytest.mark.parametrize(
    "lines", ['comment = "a\\nb"', f'comment = "{"x" * 41}"', 'escape = "ab"', 'escape = "\\""']
)
def test_what_cannot_be_a_comment_or_an_escape_is_refused(lines: str) -> None:
    with pytest.raises(SettingsError):
        GroupSettings.from_toml(f"[format]\n{lines}\nquote = '\"'\n")


@pytest.mark.parametrize("marks", ["“”", "„“", "«»"])
def test_typographic_quotes_around_all_names_are_refused(tmp_path: Path, marks: str) -> None:
    text = "\n".join(
        ",".join(f"{marks[0]}{cell}{marks[1]}" for cell in cells)
        for cells in [HEADER, *map(row_of, range(N_ROWS))]
    )
    assert refusal(judge(tmp_path, text)).rule_id == "single_quotes"


def test_names_in_doubled_quotes_are_one_finding(tmp_path: Path) -> None:
    text = a_table(header=tuple(f'""{name}""' for name in HEADER))
    assert refusal(judge(tmp_path, text)).rule_id == "bad_quoting"


def test_a_line_break_in_a_name_is_a_space(tmp_path: Path) -> None:
    report = judge(tmp_path, a_table(header=("age", "plan", '"spend\r\nEUR"', "left")))
    assert report.verdict == "warn"
    assert [column.name for column in report.columns] == ["age", "plan", "spend EUR", "left"]


def test_line_ends_that_were_converted_twice_are_single_ones(tmp_path: Path) -> None:
    report = judge(tmp_path, a_table().replace("\n", "\r\r\n"))
    assert (report.n_rows, [finding.rule_id for finding in report.of_severity("warn")]) == (
        N_ROWS,
        ["mixed_newlines"],
    )


def test_control_characters_in_many_names_are_one_finding(tmp_path: Path) -> None:
    finding = refusal(judge(tmp_path, a_table(header=("a\x07ge", "pl\x07an", "spend", "left"))))
    assert "1 further name" in finding.message


def test_empty_columns_without_a_name_are_one_finding(tmp_path: Path) -> None:
    report = judge(tmp_path, a_table().replace("\n", ",,,\n"))
    [finding] = [finding for finding in report.findings if finding.rule_id == "empty_header"]
    assert "Columns 5, 6, 7" in finding.message


def test_a_header_that_is_too_long_is_one_finding(tmp_path: Path) -> None:
    findings = judge(tmp_path, a_table().replace("left\n", "left,\n", 1)).findings
    assert [finding.rule_id for finding in findings] == ["ragged_row"]


def test_a_decimal_comma_between_commas_is_suspected(tmp_path: Path) -> None:
    text = "\n".join([",".join(HEADER), *(",".join(row_of(row)).replace(".", ",") for row in range(N_ROWS))])
    assert "columns 3 and 4" in str(refusal(judge(tmp_path, text)).advice)


INDICES: dict[str, tuple[str, Callable[[int], object]]] = {
    "row names of R": ("rownames", lambda row: row * 3 + 1),
    "a level of pandas": ("level_0", lambda row: row * 5),
    "a name by readr": ("...1", lambda row: row * 3),
    "a column without a name in R": ("X", lambda row: row * 4 + row % 3),
    "indices of joined tables": ("", lambda row: row % 60),
}


@pytest.mark.parametrize("case", INDICES)
def test_exported_indices_are_left_out_with_a_warning(tmp_path: Path, case: str) -> None:
    name, values = INDICES[case]
    rows = [f"{values(row)},{','.join(row_of(row))}" for row in range(N_ROWS)]
    text = "\n".join([f"{name},{','.join(HEADER)}", *rows])
    report = judge(tmp_path, text)
    [finding] = [f for f in report.of_severity("warn") if f.rule_id in ("index_column", "empty_header")]
    assert "exported index" in finding.message
    stated = judge(tmp_path, text, str(finding.accept_with)) if name == "X" else report
    assert stated.columns[0].role in ("id", "excluded")


def test_a_coordinate_named_x_is_no_index(tmp_path: Path) -> None:
    rows = [f"{row * 7 % 113 * 4},{','.join(row_of(row))}" for row in range(N_ROWS)]
    report = judge(tmp_path, "\n".join([f"X,{','.join(HEADER)}", *rows]))
    assert "index_column" not in [finding.rule_id for finding in report.findings]


def with_labels(labels: Callable[[int], str]) -> str:
    rows = [",".join([*row_of(row)[:3], labels(row)]) for row in range(N_ROWS)]
    return "\n".join([",".join(HEADER), *rows]) + "\n"


def test_labels_in_other_case_are_one_finding(tmp_path: Path) -> None:
    finding = refusal(
        judge(tmp_path, with_labels(lambda row: label(row).upper() if row % 7 == 0 else label(row)))
    )
    assert finding.rule_id == "target_labels"
    assert "NO, no" in finding.message
    assert "YES, yes" in finding.message


def test_a_target_of_dates_is_one_finding(tmp_path: Path) -> None:
    finding = refusal(judge(tmp_path, with_labels(lambda row: f"2020-01-{row % 28 + 1:02d}")))
    assert finding.rule_id == "many_classes"


def test_a_few_other_numbers_beside_two_classes_are_told(tmp_path: Path) -> None:
    text = with_labels(lambda row: "2" if row == 5 else str(row % 2))
    [finding] = [finding for finding in judge(tmp_path, text).findings if finding.rule_id == "target_numbers"]
    assert "learned as a quantity" in finding.message
    stated = judge(tmp_path, text, str(finding.accept_with))
    assert "target_numbers" not in [finding.rule_id for finding in stated.findings]
