"""Where a table begins: comments, titles, exported row names, and files without a header."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.reading import load_table, read_pieces, read_table
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.settings.group import GroupSettings

N_ROWS = 80


def rows(delimiter: str = ",", *, first: str = "") -> list[str]:
    """Rows of age, dose, city and outcome; `first` is a template of one more cell before them."""
    table = []
    for i in range(N_ROWS):
        cells = [str(20 + (i * 37) % 60), f"{(i * 13) % 90}.5", ("Ghent", "Lille", "Trier")[i * 7 % 3]]
        cells.append("yes" if (i * i + i // 3) % 5 < 3 else "no")
        table.append(delimiter.join(([first.format(i=i, odd=7 * i + 3)] if first else []) + cells))
    return table


HEADER = "age,dose,city,outcome"


def written(tmp_path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def settings_of(document: Mapping[str, Any]) -> GroupSettings:
    return GroupSettings.from_config({"target": "outcome", **document})


def finding(report: ValidationReport, rule_id: str) -> Finding:
    [found] = [finding for finding in report.findings if finding.rule_id == rule_id]
    return found


def names_read(path: Path, document: Mapping[str, Any] | None = None) -> list[str]:
    return list(read_table(path, settings=settings_of(document or {})).columns)


ABOVE = {
    "one comment": ["# exported by hand"],
    "comments with commas": ["# columns: age, dose", "# source, of, all, things"],
    "comments and blank lines": ["# a", "", "# b", ""],
    "one title": ["Ward report"],
    "a title of one word before two": ["Report", "of May"],
    "metadata of two cells": ["station,Berlin", "unit,mg", "operator,K. Weber"],
    "many lines of metadata": [f"key {n},{n}" for n in range(60)],
    "a quoted title": ['"Ward report, May"'],
    "comments in quotes": ['"# exported by hand"'],
    "percent signs": ["% by hand", "% in May"],
    "a comment, then a title": ["# exported", "Ward report"],
}


@pytest.mark.parametrize("case", ABOVE)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_above_a_clear_header_are_left_out_with_a_warning(
    tmp_path: Path, case: str, delimiter: str
) -> None:
    above = [line.replace(",", delimiter) for line in ABOVE[case]]
    path = written(tmp_path, [*above, HEADER.replace(",", delimiter), *rows(delimiter)])
    report = validate(path, settings_of({}))
    assert (report.verdict, report.n_rows, report.n_columns) == ("warn", N_ROWS, 4)
    assert {f.rule_id for f in report.findings} & {"comments", "preamble"}
    assert names_read(path) == HEADER.split(",")
    assert load_table(path, settings_of({})).names == tuple(HEADER.split(","))


def test_stating_what_is_above_the_header_leaves_no_warning(tmp_path: Path) -> None:
    for above in ABOVE.values():
        path = written(tmp_path, [*above, HEADER, *rows()])
        settings = settings_of({"format": {"skip": len(above)}})
        assert validate(path, settings).findings == ()


def test_comments_between_the_rows_are_left_out_and_the_lines_are_counted(tmp_path: Path) -> None:
    table = rows()
    table[40:40] = ["# part two", '# 5" pipes, "all" of them']
    table[60] = table[60].replace(table[60].split(",")[0], "old", 1)
    report = validate(written(tmp_path, ["# by hand", HEADER, *table]), settings_of({}))
    assert finding(report, "comments").lines == (1, 43, 44)
    assert finding(report, "type_mismatch").lines == (63,)
    assert report.n_rows == N_ROWS


def test_a_name_that_begins_with_a_comment_sign_stays_a_name(tmp_path: Path) -> None:
    path = written(tmp_path, ["#no,age,outcome", *(f"{i},{i % 50},{i % 3}" for i in range(80))])
    assert names_read(path) == ["#no", "age", "outcome"]


def test_the_last_comment_is_the_header_when_rows_follow_it(tmp_path: Path) -> None:
    lines = [
        "##fileformat=1",
        "##source=x",
        "#CHROM\tPOS\toutcome",
        *(f"c{i}\t{i * 7}\t{i % 2}" for i in range(80)),
    ]
    assert names_read(written(tmp_path, lines)) == ["#CHROM", "POS", "outcome"]


def test_values_that_begin_with_a_comment_sign_stay_values(tmp_path: Path) -> None:
    path = written(
        tmp_path, ["# by hand", "code,age,outcome", *(f"#{i},{i % 50},{i % 2}" for i in range(80))]
    )
    assert len(read_table(path)) == 80


def test_comments_that_nobody_announced_are_refused_with_the_line_that_accepts_them(tmp_path: Path) -> None:
    table = rows()
    table[10:10] = ["# part two"]
    path = written(tmp_path, [HEADER, *table])
    report = validate(path, settings_of({}))
    assert [f.rule_id for f in report.findings if f.severity == "reject"] == ["ragged_row"]
    accepted = settings_of(tomllib.loads(str(finding(report, "ragged_row").accept_with)))
    assert validate(path, accepted).verdict == "accept"


def test_a_delimiter_at_the_end_of_every_row_makes_no_column(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, *(f"{row}," for row in rows())])
    report = validate(path, settings_of({}))
    assert [(f.rule_id, f.severity) for f in report.findings] == [("empty_header", "warn")]
    assert names_read(path) == HEADER.split(",")


def test_a_table_with_spaces_between_is_refused_with_the_line_that_accepts_it(tmp_path: Path) -> None:
    header = " ".join(f'"{name}"' for name in HEADER.split(","))
    path = written(tmp_path, [header, *rows(" ", first='"{i}"')])
    [refusal] = validate(path, settings_of({})).of_severity("reject")
    lines = tomllib.loads(str(refusal.accept_with))
    assert lines == {"format": {"delim": " "}}
    assert validate(path, settings_of(lines)).verdict == "warn"
    assert names_read(path, lines) == HEADER.split(",")


UNCLEAR = {
    "a title filled up with empty cells": (["Ward report,,,", HEADER], []),
    "a title and no header": (["Ward report"], []),
    "metadata and no header": (["station,Berlin", "unit,mg"], []),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_an_unclear_start_is_refused_once_and_its_lines_accept_it(tmp_path: Path, case: str) -> None:
    above, below = UNCLEAR[case]
    path = written(tmp_path, [*above, *below, *rows()])
    config = GroupSettings()
    report = validate(path, config)
    [refusal] = report.of_severity("reject")
    assert refusal.rule_id == "preamble"
    accepted = GroupSettings.from_config(tomllib.loads(str(refusal.accept_with)))
    report = validate(path, accepted)
    assert (report.verdict, report.n_rows, report.n_columns) == ("accept", N_ROWS, 4)


ROW_NAMES = {
    "names of cars": "Car {i}",
    "quoted names": '"Site {i}, ward A"',
    "numbers from 1": "{i}",
    "numbers of a filtered frame": "{odd}",
}


@pytest.mark.parametrize("case", ROW_NAMES)
@pytest.mark.parametrize("purpose", ["training", "inference"])
@pytest.mark.parametrize("header", ["", '""', None])
def test_exported_row_names_are_left_out_with_a_warning(
    tmp_path: Path, case: str, purpose: str, header: str | None
) -> None:
    names = HEADER if header is None else f"{header},{HEADER}"
    path = written(tmp_path, [names, *rows(first=ROW_NAMES[case])])
    report = validate(path, settings_of({}), purpose=purpose)  # type: ignore[arg-type]
    rule_id = "row_names" if header is None else "empty_header"
    assert (report.verdict, finding(report, rule_id).severity) == ("warn", "warn")
    assert names_read(path) == HEADER.split(",")
    assert pd_names(path) == HEADER.split(",")


def pd_names(path: Path) -> list[str]:
    return list(next(iter(read_pieces(path))).columns)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_header_that_is_one_name_short_is_understood_with_every_delimiter(
    tmp_path: Path, delimiter: str
) -> None:
    table = [row.replace(".5", ",5") for row in rows(delimiter, first="{i}")]
    path = written(tmp_path, [HEADER.replace(",", delimiter), *table])
    assert validate(path, settings_of({})).verdict == "warn"
    assert read_table(path)["dose"].tolist()[1] == 13.5


def test_a_nameless_column_of_repeated_values_is_refused_and_can_be_named(tmp_path: Path) -> None:
    for names in (f",{HEADER}", HEADER):
        path = written(tmp_path, [names, *(f"{'ab'[i % 2]},{row}" for i, row in enumerate(rows()))])
        report = validate(path, settings_of({}))
        [refusal] = report.of_severity("reject")
        lines = tomllib.loads(str(refusal.accept_with))
        assert lines == {"format": {"header": True, "names": ["column_1", *HEADER.split(",")]}}
        assert validate(path, settings_of(lines)).verdict == "accept"


def test_a_file_without_a_header_offers_names_that_accept_it(tmp_path: Path) -> None:
    path = written(tmp_path, [",".join(str((i * n) % 97) for n in (3, 5, 7, 11)) for i in range(80)])
    report = validate(path)
    [refusal] = report.of_severity("reject")
    assert refusal.rule_id == "missing_columns"
    lines = tomllib.loads(str(refusal.accept_with))
    assert lines["format"] == {"header": False, "names": [f"column_{n}" for n in range(1, 5)]}
    report = validate(path, GroupSettings.from_config(lines))
    assert (report.verdict, report.n_rows) == ("accept", 80)


@pytest.mark.parametrize("purpose", ["training", "inference"])
def test_a_file_without_a_header_is_offered_the_names_of_the_contract(tmp_path: Path, purpose: str) -> None:
    contract = learn_contract(written(tmp_path, [HEADER, *rows()]), settings_of({}))
    path = written(tmp_path, rows())
    report = validate(path, settings_of({}), contract, purpose=purpose)  # type: ignore[arg-type]
    [refusal] = report.of_severity("reject")
    lines = tomllib.loads(str(refusal.accept_with))
    table = lines["format"] if purpose == "training" else lines["format"]["inference"]
    assert table["names"] == HEADER.split(",")
    accepted = validate(path, settings_of(lines), contract, purpose=purpose)  # type: ignore[arg-type]
    assert (accepted.verdict, accepted.n_rows) == ("accept", N_ROWS)


BROKEN = {
    "ragged rows": [HEADER, *(row + ",1" if i % 9 == 0 else row for i, row in enumerate(rows()))],
    "an open quote": [HEADER, *rows()[:10], '41,"5,Ghent,yes', *rows()[11:]],
    "no header": rows(),
    "a title": ["Ward report,,,", HEADER, *rows()],
    "few columns named": [HEADER, *(f"{row},3,4" for row in rows())],
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_form_is_the_only_thing_that_is_said(tmp_path: Path, case: str) -> None:
    report = validate(written(tmp_path, BROKEN[case]), GroupSettings(id_columns=("patient",)))
    assert report.verdict == "reject"
    assert len(report.findings) == 1


FORMS = {
    "a row of totals": ([HEADER, *rows(), "Total,361.5,,"], "footer_row", None),
    "a row of totals of another language": ([HEADER, *rows(), "Summe,361.5,Ghent,"], "footer_row", None),
    "a row of units": ([HEADER, "years,mg,,", *rows()], "second_header", N_ROWS),
    "names and values in single quotes": (
        ["'age','dose','city','outcome'", *(row.replace("Ghent", "'Ghent, south'") for row in rows())],
        "single_quotes",
        N_ROWS,
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_a_line_that_is_no_record_is_named_once_and_the_lines_that_accept_the_file_do_so(
    case: str, tmp_path: Path
) -> None:
    lines, rule_id, n_accepted = FORMS[case]
    path = written(tmp_path, lines)
    [refusal] = validate(path, GroupSettings()).of_severity("reject")
    assert refusal.rule_id == rule_id
    if n_accepted is not None:
        accepted = validate(path, settings_of(tomllib.loads(str(refusal.accept_with))))
        assert (accepted.verdict, accepted.n_rows) == ("accept", n_accepted)


def test_a_category_called_total_in_several_rows_is_no_row_of_totals(tmp_path: Path) -> None:
    table = [row.replace("Ghent", "Total") for row in rows()]
    table[-1] = "41,,Total,yes"
    assert not [
        f for f in validate(written(tmp_path, [HEADER, *table])).findings if f.rule_id == "footer_row"
    ]
