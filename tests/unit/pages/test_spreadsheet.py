"""Cells that a spreadsheet would run get an apostrophe; numbers do not."""

from __future__ import annotations

import pytest

from mlops.pages.spreadsheet import without_formula


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
