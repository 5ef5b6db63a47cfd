"""Cells that a spreadsheet would run get an apostrophe; numbers do not."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from mlops.dataset.validation.validate import validate
from mlops.pages.spreadsheet import csv_text, without_formula, write_frame


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1",
        "-x",
        "--5",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert without_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3.5", "-1e-3", "-.5", "yes", "a=b", "", "2024-01-31", "p-17", "'x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert without_formula(text) == text


ROWS = [["name", "note"], ["a\rb", None], ["c\r\nd", "=1+1"], ["e\nf", -5], ['g"h', "i,j"]]


def test_csv_is_read_again_as_it_was_whatever_line_ends_are_in_its_cells() -> None:
    text = csv_text(ROWS)
    expected = [["" if cell is None else str(cell) for cell in row] for row in ROWS]
    expected[2][1] = "'=1+1"
    assert list(csv.reader(io.StringIO(text, newline=""))) == expected
    assert text.startswith("name,note\n")


def test_frames_are_written_in_the_same_way() -> None:
    lines = io.StringIO(newline="")
    write_frame(pd.DataFrame(ROWS[1:], columns=ROWS[0]), lines)
    rows = list(csv.reader(io.StringIO(lines.getvalue(), newline="")))
    assert [row[0] for row in rows] == [row[0] for row in ROWS]


@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n"])
def test_a_frame_with_line_ends_in_its_cells_is_validated_row_by_row(line_end: str) -> None:
    frame = pd.DataFrame(
        {"age": range(90), "note": [f"a{line_end}{n % 4}" for n in range(90)], "y": [0, 1, 1] * 30}
    )
    report = validate(frame, {"target": "y"})
    assert report.verdict != "reject"
    assert report.n_rows == 90
