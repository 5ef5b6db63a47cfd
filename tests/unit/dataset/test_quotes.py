"""Quotes that enclose fields, quotes that are ordinary characters, and quotes that are wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from mlops.dataset.form.quoting import Syntax
from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings

SETTINGS = GroupSettings(target="left")

LITERAL = {
    "inches": 'pipe 5"',
    "inches before a word": '5" pipe',
    "feet and inches": "6'2\"",
    "two in one cell": '5" by 6"',
    "two in a row": '7""',
    "a nickname": 'John "Jack" Smith',
    "minutes and seconds": "51° 12' 3\"",
}


def table(cell: str, *, others: str = "plain", n_rows: int = 120, at: tuple[int, ...] = (77,)) -> str:
    rows = frozenset(at)
    lines = ["item,rack,left"]
    lines += [
        f"i{i % 9},{cell if i in rows else others},{'yes' if i * i % 7 < 3 else 'no'}" for i in range(n_rows)
    ]
    return "\n".join(lines) + "\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.csv"
    path.write_text(text, "utf-8", newline="")
    return path


@pytest.mark.parametrize("case", LITERAL)
@pytest.mark.parametrize("others", ["plain", '"in, quotes"', '"a ""b"" c"', '"two\nlines"'])
def test_a_quote_inside_of_a_field_is_kept_and_its_line_is_named(
    tmp_path: Path, case: str, others: str
) -> None:
    text = table(LITERAL[case], others=others)
    path = written(tmp_path, text)
    report = validate(path, SETTINGS)
    [remark] = [finding for finding in report.findings if finding.rule_id == "literal_quotes"]
    line = text[: text.index(LITERAL[case])].count("\n") + 1
    assert (report.verdict, remark.severity, remark.lines) == ("warn", "warn", (line,))
    expected = [row["rack"] for row in csv.DictReader(io.StringIO(text))]
    assert read_table(path)["rack"].tolist() == expected


def test_many_such_quotes_leave_the_rows_whole(tmp_path: Path) -> None:
    text = table('5" pipe', others='"long, ""quoted"" text"', n_rows=60_000, at=tuple(range(0, 60_000, 3)))
    path = written(tmp_path, text)
    report = validate(path, SETTINGS)
    assert (report.verdict, report.n_rows) == ("warn", 60_000)
    assert read_table(path)["rack"].value_counts().to_dict() == {
        '5" pipe': 20_000,
        'long, "quoted" text': 40_000,
    }


WRONG = {
    "never closed": ('"floor 7', "unclosed_quote"),
    "never closed, with a doubled one": ('"floor ""7', "unclosed_quote"),
    "text after the end": ('"floor"7', "bad_quoting"),
    "a space before": (' "floor"', "bad_quoting"),
    "escaped by a backslash": (r'"floor \"7\" x"', "bad_quoting"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_quote_that_begins_a_field_must_enclose_it(tmp_path: Path, case: str) -> None:
    cell, rule_id = WRONG[case]
    report = validate(written(tmp_path, table(cell)), SETTINGS)
    assert [(f.rule_id, f.lines) for f in report.of_severity("reject")] == [(rule_id, (79,))]


def test_a_quote_inside_of_a_name_is_a_part_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, table("a").replace("rack", 'rack 5"'))
    assert validate(path, SETTINGS).of_severity("reject") == ()
    assert list(read_table(path).columns) == ["item", 'rack 5"', "left"]


@pytest.mark.parametrize("seed", range(40))
def test_marks_agree_with_the_csv_module(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = ['"', '""', ",", "a", "b ", "\n", '"x, y"', '"p\nq"', '"z""z"', '5"']
    text = "a,b\n" + "".join(rng.choice(pieces, size=60)) + "\n"
    marks = Syntax(",").marks(text.encode(), np.frombuffer(text.encode(), np.uint8))
    if marks.is_open or ' "' in text:
        return
    newlines = np.flatnonzero(np.frombuffer(text.encode(), np.uint8) == 10)
    ends = newlines[np.searchsorted(marks.quotes, newlines) % 2 == 0]
    records = list(csv.reader(io.StringIO(text)))
    assert len(ends) == len(records)
