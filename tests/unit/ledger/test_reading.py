"""Rows of a group are read whole, by id, by day, or by a query, and nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copyfile

import pytest

from mlops.ledger.reading import Predictions
from mlops.ledger.sql import Selection
from mlops.models.errors import LedgerError, QueryError
from mlops.models.scoring.columns import PredictionColumns

from .conftest import GROUP, Record, scored_rows

BY_DAY = "SELECT batch_date, count(*) FROM predictions GROUP BY batch_date ORDER BY batch_date"


def test_whole_rows_have_a_column_for_each_id_and_each_class(
    record: Record, predictions: Predictions
) -> None:
    record(scored_rows(2))
    rows = predictions.select(Selection(GROUP))
    assert rows.columns[:8] == (
        *("batch_date", "batch_id", "file", "row"),
        *("patient_id", "prediction", "probability_no", "probability_yes"),
    )
    assert [row[:8] for row in rows.values] == [
        ("2026-03-02", "b1", "march.csv", 1, "P1", "yes", 0.25, 0.75),
        ("2026-03-02", "b1", "march.csv", 2, "P2", "yes", 0.25, 0.75),
    ]


def test_batches_with_other_ids_and_classes_are_read_together(
    record: Record, predictions: Predictions
) -> None:
    record(scored_rows(1))
    columns = PredictionColumns.of(["case"], ["maybe"], "row_status", [])
    record([(1, "C1", "maybe", 1.0, "scored", "v2.0.0")], columns, batch_id="b2")
    first, second = predictions.select(Selection(GROUP)).records()
    assert (first["patient_id"], first["case"], first["probability_maybe"]) == ("P1", None, None)
    assert (second["patient_id"], second["case"], second["probability_no"]) == (None, "C1", None)


def test_an_id_named_like_a_column_of_the_result_is_renamed(record: Record, predictions: Predictions) -> None:
    record([("march-1", 3.0, "v1.0.0")], None, header=("file", "prediction", "model_version"))
    (row,) = predictions.select(Selection(GROUP)).records()
    assert (row["file"], row["input_file"]) == ("march.csv", "march-1")


def test_rows_are_selected_by_id_and_day(record: Record, predictions: Predictions) -> None:
    for day in (1, 2, 3):
        record(scored_rows(2), batch_id=f"b{day}", at=datetime(2026, 3, day, tzinfo=UTC))
    rows = predictions.select(Selection(GROUP, row_id="P2", since=date(2026, 3, 2))).records()
    assert [(row["batch_id"], row["patient_id"]) for row in rows] == [("b2", "P2"), ("b3", "P2")]


def test_another_group_is_never_read(record: Record, predictions: Predictions) -> None:
    record(scored_rows(1))
    record(scored_rows(5), group="others")
    assert len(predictions.select(Selection(GROUP)).values) == 1
    assert predictions.select(Selection(GROUP), "SELECT count(*) FROM predictions").values == ((1,),)


@pytest.mark.parametrize(
    "row_id",
    ["' OR TRUE --", "x') OR contains(map_values(ids), 'P1", "\\' OR TRUE --", "P1'; DROP VIEW ledger; --"],
)
def test_an_id_is_text_and_never_sql(record: Record, predictions: Predictions, row_id: str) -> None:
    record(scored_rows(3))
    assert predictions.select(Selection(GROUP, row_id=row_id)).values == ()
    assert predictions.select(Selection(row_id, row_id=row_id)).values == ()


def test_an_id_with_the_character_nul_is_refused(predictions: Predictions) -> None:
    with pytest.raises(LedgerError, match="NUL"):
        predictions.select(Selection(GROUP, row_id="P\0"))


def test_names_that_sql_reserves_are_names_of_ids_and_classes(
    record: Record, predictions: Predictions
) -> None:
    columns = PredictionColumns.of(["group", 'se"lect'], ["o'k"], "row_status", [])
    record([(1, "a", "b", "o'k", 1.0, "scored", "v1.0.0")], columns)
    (row,) = predictions.select(Selection(GROUP)).records()
    assert (row["group"], row['se"lect'], row["probability_o'k"]) == ("a", "b", 1.0)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ids[\'patient_id\'], "row" FROM predictions ORDER BY "row"',
        "  with other AS (SELECT * FROM predictions)\nSELECT ids['patient_id'], \"row\" FROM other; ",
        "WITH RECURSIVE other AS (TABLE predictions) SELECT ids['patient_id'], \"row\" FROM other",
    ],
)
def test_a_query_of_a_person_sees_the_selected_rows(
    record: Record, predictions: Predictions, query: str
) -> None:
    record(scored_rows(3))
    rows = predictions.select(Selection(GROUP, row_id="P2"), query)
    assert rows.values == (("P2", 2),)


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE predictions",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO 'x.csv'",
        "COPY (SELECT 1) TO 'x.csv'",
        "",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT no_such_column FROM predictions",
    ],
)
def test_what_is_not_one_select_over_the_ledger_is_refused(
    record: Record, predictions: Predictions, query: str
) -> None:
    record(scored_rows(1))
    with pytest.raises(QueryError):
        predictions.select(Selection(GROUP), query)


def test_a_row_that_is_stored_twice_is_read_once(
    record: Record, predictions: Predictions, tmp_path: Path
) -> None:
    record(scored_rows(3))
    (stored,) = (tmp_path / "ledger").glob("*/*/*.parquet")
    copyfile(stored, stored.with_name("day-copy.parquet"))
    assert [row["row"] for row in predictions.select(Selection(GROUP)).records()] == [1, 2, 3]
    assert predictions.select(Selection(GROUP), BY_DAY).values == (("2026-03-02", 3),)


def test_an_empty_ledger_has_no_rows_but_columns(predictions: Predictions) -> None:
    assert predictions.select(Selection(GROUP)).values == ()
    assert predictions.select(Selection(GROUP), BY_DAY).values == ()
