"""The ledger of predictions on the deployed application: recorded, queried by Athena, merged at night."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from local.stack import DeployedStack
from mlops.ledger.athena import AthenaEngine
from mlops.ledger.reading import FolderEngine
from mlops.ledger.sql import Selection, statement
from tests.e2e.approvals import operating
from tests.e2e.ledger import copy_ledger, rows_of_the_ledger
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e


def delivered(stack: DeployedStack, batch: Walk) -> list[dict[str, str]]:
    """The rows of the file that was delivered."""
    key = batch.output["predictions_uri"].partition("//")[2].partition("/")[2]
    return list(csv.DictReader(StringIO(stack.read(key).decode())))


def test_each_delivered_row_is_one_row_of_the_ledger(
    stack: DeployedStack, recorded: tuple[Walk, Walk]
) -> None:
    rows = rows_of_the_ledger(stack)
    for batch in recorded:
        expected = delivered(stack, batch)
        actual = [row for row in rows if row["batch_id"] == batch.output["batch_id"]]
        assert [row["row"] for row in actual] == list(range(1, len(expected) + 1))
        assert [row["patient_id"] for row in actual] == [row["patient_id"] for row in expected]
        assert [row["prediction"] for row in actual] == [row["prediction"] for row in expected]
    assert {row["file"] for row in rows} >= {"score.csv", "score_drifted.csv"}


def test_rows_are_found_by_the_id_of_a_patient(stack: DeployedStack, recorded: tuple[Walk, Walk]) -> None:
    patient = delivered(stack, recorded[0])[0]["patient_id"]
    rows = rows_of_the_ledger(stack, "--id", patient)
    assert {row["patient_id"] for row in rows} == {patient}
    assert rows_of_the_ledger(stack, "--id", f"{patient}' OR TRUE --") == []


def test_predictions_of_a_request_are_in_the_ledger(stack: DeployedStack, requested: pd.DataFrame) -> None:
    rows = [row for row in rows_of_the_ledger(stack) if row["file"] == "request"]
    for name in ("row", "patient_id", "prediction", "probability_1", "model_version"):
        assert [row[name] for row in rows] == list(requested[name])
    assert len({row["batch_id"] for row in rows}) == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT prediction, count(*) AS n FROM predictions GROUP BY prediction ORDER BY prediction",
        'SELECT batch_date, file, min("row"), max("row") FROM predictions GROUP BY 1, 2 ORDER BY 1, 2',
        "WITH kept AS (SELECT ids['patient_id'] AS patient, prediction FROM predictions) "
        "SELECT patient, prediction FROM kept ORDER BY patient, prediction",
    ],
)
def test_athena_and_duckdb_give_the_same_rows_for_the_same_sql(
    stack: DeployedStack, merged_ledger: dict, tmp_path: Path, query: str
) -> None:
    sql = statement(Selection(GROUP, since=datetime.now(UTC).date() - timedelta(days=1)), query)
    here = FolderEngine(copy_ledger(stack, tmp_path)).select(sql)
    with operating(stack):
        database, workgroup = stack.outputs["LedgerDatabaseName"], stack.outputs["LedgerWorkgroupName"]
        there = AthenaEngine(database, workgroup).select(sql)
    assert there == here
    assert here.values


def test_a_batch_that_was_deleted_is_named_in_the_error(missing_batch: dict) -> None:
    assert missing_batch["errorType"] == "ObjectNotFoundError"
    assert "predictions/absent/b/manifest.json" in missing_batch["errorMessage"]


def test_merging_at_night_leaves_one_file_and_the_same_rows(
    stack: DeployedStack, merged_ledger: dict
) -> None:
    days = [day for day in merged_ledger["answer"]["days"] if day["group"] == GROUP]
    assert sum(day["n_rows"] for day in days) == len(merged_ledger["before"]) > 0
    assert len(stack.keys(f"ledger/model_group={GROUP}/")) == len(days) == 1
    assert rows_of_the_ledger(stack) == merged_ledger["before"]
