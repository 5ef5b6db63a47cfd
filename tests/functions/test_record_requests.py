"""The RecordRequests function over moto: the sample event, messages that come again, and bad ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.record_requests import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.ledger.forgetting import RowsOfPersons, remove_rows
from mlops.ledger.reading import FolderEngine, Predictions
from mlops.ledger.sql import Selection
from mlops.use_cases.quality.record_labels import named_batches

GROUP = "medication-adherence"
BUCKET = "artifact-bucket"
CONTEXT = SimpleNamespace(
    function_name="record_requests",
    function_version="1",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:record_requests",
    aws_request_id="1",
)


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    client("s3").create_bucket(Bucket=BUCKET)
    variables = {"ARTIFACT_BUCKET_NAME": BUCKET, "REGISTRY_TABLE_NAME": registry_table}
    return Dependencies("record_requests", variables)


@pytest.fixture
def record(repository: Path) -> dict[str, Any]:
    """The message of the sample event."""
    document = json.loads((repository / "events" / "record_requests.json").read_text())
    (message,) = document["Records"]
    return message


def another(record: dict[str, Any], message_id: str, **changes: Any) -> dict[str, Any]:
    """The message with another request in it."""
    body = json.loads(record["body"])
    body["batch"] |= {"batch_id": f"request-{message_id}", **changes}
    return {**record, "messageId": message_id, "body": json.dumps(body)}


def handle(dependencies: Dependencies, *records: dict[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    answer = app.handler({"Records": list(records)}, CONTEXT, dependencies)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def keys() -> list[str]:
    return [
        o["Key"] for o in client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ledger/").get("Contents", [])
    ]


def rows(dependencies: Dependencies, folder: Path, group: str = GROUP) -> list[dict[str, Any]]:
    for key in keys():
        path = folder / key.removeprefix("ledger/")
        path.parent.mkdir(parents=True, exist_ok=True)
        client("s3").download_file(BUCKET, key, str(path))
    reader = Predictions(dependencies.ledger.batches, FolderEngine(folder))
    return [dict(row) for row in reader.select(Selection(group)).records()]


def test_the_requests_of_one_receive_are_one_file(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    assert handle(dependencies, record, another(record, "a"), another(record, "b")) == []
    (key,) = keys()
    assert key.startswith(f"ledger/model_group={GROUP}/batch_date=2026-03-02/batch-requests-")
    actual = rows(dependencies, tmp_path)
    assert [(row["batch_id"], row["row"]) for row in actual] == [
        ("request-JKJaXmPLvHcESHA=", 1), ("request-JKJaXmPLvHcESHA=", 2),
        ("request-a", 1), ("request-a", 2), ("request-b", 1), ("request-b", 2),
    ]  # fmt: skip
    first = actual[0]
    assert (first["patient_id"], first["prediction"], first["probability_1"]) == ("10967", "0", 0.356501348)
    assert first["input_digest"] == "ab12"


def test_a_message_that_comes_again_leaves_each_row_once(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    second = another(record, "second")
    handle(dependencies, record, second)
    before = keys()
    handle(dependencies, second, record)
    assert keys() == before
    handle(dependencies, second, second)
    assert len(rows(dependencies, tmp_path)) == 4


def test_groups_days_and_versions_are_files_of_their_own(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    others = [
        another(record, "a", group="claims"),
        another(record, "b", scored_at="2026-03-03T00:30:00+00:00"),
        another(record, "c", model_version="v1.0.1"),
    ]
    assert handle(dependencies, record, *others) == []
    assert len(keys()) == 4
    assert len(rows(dependencies, tmp_path)) == 6
    assert len(rows(dependencies, tmp_path, "claims")) == 2


@pytest.mark.parametrize("body", ["", "7", "{}", '{"batch": {}, "table": null}'])
def test_a_message_that_is_no_request_fails_alone(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path, body: str
) -> None:
    bad = {**record, "messageId": "bad", "body": body}
    assert handle(dependencies, bad, record) == ["bad"]
    assert len(rows(dependencies, tmp_path)) == 2


def test_cells_that_are_no_numbers_fail_and_leave_other_groups_alone(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    broken = json.loads(another(record, "broken", group="claims")["body"])
    broken["table"]["rows"][0][3] = "much"
    bad = {**record, "messageId": "broken", "body": json.dumps(broken)}
    assert handle(dependencies, bad, record) == ["broken"]
    assert len(rows(dependencies, tmp_path)) == 2


def test_an_id_with_a_line_end_is_recorded_as_it_is(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    unusual = json.loads(another(record, "unusual")["body"])
    unusual["table"]["rows"][0][1] = "A\rB"
    assert handle(dependencies, {**record, "messageId": "unusual", "body": json.dumps(unusual)}, record) == []
    assert "A\rB" in {row["patient_id"] for row in rows(dependencies, tmp_path)}


def test_a_message_that_cannot_be_recorded_does_not_keep_others_of_its_group_out(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    broken = json.loads(another(record, "broken")["body"])
    broken["table"]["rows"][0][3] = "much"
    bad = {**record, "messageId": "broken", "body": json.dumps(broken)}
    assert handle(dependencies, bad, record, another(record, "c")) == ["broken"]
    assert len(rows(dependencies, tmp_path)) == 4


def test_a_day_has_one_record_for_each_version_however_many_requests_there_are(
    record: dict[str, Any], dependencies: Dependencies
) -> None:
    for number in range(5):
        handle(dependencies, another(record, f"r{number}"))
    handle(dependencies, another(record, "other", model_version="v1.0.1"))
    recorded = dependencies.ledger.batches.list(GROUP)
    assert [each.batch.batch_id for each in recorded] == ["requests-v1.0.0", "requests-v1.0.1"]
    assert recorded[0].id_columns == ("patient_id",)


def test_the_record_of_a_day_counts_each_row_once(record: dict[str, Any], dependencies: Dependencies) -> None:
    later = another(record, "later", scored_at="2026-03-02T23:30:00+00:00")
    for messages in ([record], [another(record, "a"), later], [record], [later, another(record, "a")]):
        handle(dependencies, *messages)
    (recorded,) = dependencies.ledger.batches.list(GROUP)
    assert recorded.n_rows == 6
    assert recorded.batch.scored_at == datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


def test_a_message_that_comes_again_does_not_bring_forgotten_rows_back(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    forgotten, others = another(record, "a"), another(record, "b")
    for message, person in ((forgotten, "P7"), (others, "P8")):
        body = json.loads(message["body"])
        body["table"]["rows"][0][1] = person
        message["body"] = json.dumps(body)
    handle(dependencies, forgotten, others)
    handle(dependencies, forgotten)
    persons = RowsOfPersons("patient_id", "P7".__eq__)
    removed = list(remove_rows(dependencies.ledger, GROUP, persons, datetime.now(UTC)))
    assert [each.n_rows for each in removed] == [1, 1]
    assert handle(dependencies, others, forgotten) == []
    assert handle(dependencies, forgotten) == []
    assert handle(dependencies, forgotten, record) == []
    found = sorted(row["patient_id"] for row in rows(dependencies, tmp_path) if row["batch_id"][-1] in "ab")
    assert found == ["11131", "11131", "P8"]


def test_a_request_of_one_forgotten_person_is_not_stored_again(
    record: dict[str, Any], dependencies: Dependencies
) -> None:
    handle(dependencies, record)
    (key,) = keys()
    every_one = RowsOfPersons("patient_id", lambda _: True)
    list(remove_rows(dependencies.ledger, GROUP, every_one, datetime.now(UTC)))
    client("s3").delete_object(Bucket=BUCKET, Key=key)  # as when its day was merged
    assert handle(dependencies, record) == []
    assert keys() == []


def test_a_label_names_a_row_of_a_request_by_the_id_that_the_ledger_has(
    record: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    handle(dependencies, record)
    find = named_batches(dependencies.ledger.batches.list(GROUP))
    for name in {row["batch_id"] for row in rows(dependencies, tmp_path)}:
        assert [batch.batch_id for batch in find(name)] == [name]
    assert find("requests-v1.0.0") == []
    assert find("request-") == []
