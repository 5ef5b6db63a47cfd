"""Answers of an endpoint as text."""

from __future__ import annotations

import csv
from io import StringIO

from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.scored_table import ScoredTable
from mlops.use_cases.endpoints.serving import Answer, write_answer

LINE_ENDS = ("a\rb", "a\nb", "a\r\nb", "a\r", "plain")


def test_line_ends_in_cells_are_in_quotes_in_an_answer_of_csv() -> None:
    columns = PredictionColumns(ids={"id": "id"})
    blank = ("",) * (len(columns.names) - 1)
    position = columns.names.index("id")
    rows = tuple((*blank[:position], text, *blank[position:]) for text in LINE_ENDS)

    text, content_type = write_answer(Answer("v1.0.0", ScoredTable(columns, rows)), "text/csv")

    assert content_type == "text/csv"
    assert list(csv.reader(StringIO(text, newline=""))) == [list(columns.names), *map(list, rows)]
    assert '"a\rb"' in text
    assert text.startswith(",".join(columns.names) + "\n")
