"""A requested retraining: its training set has each row once, and its training is started once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.retrain_model import app
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import TrainingError
from mlops.models.intake.retraining import DatasetLineage
from mlops.models.intake.trainings import TrainingRecord
from tests.functions.approval_stage import GROUP
from tests.functions.retraining_stage import DAY, HEADER, RetrainingStage, some_rows


@pytest.fixture
def retraining(stage, tmp_path: Path) -> RetrainingStage:
    """A champion on the first of two files, and 80 scored rows with outcomes."""
    ready = RetrainingStage(stage, tmp_path)
    ready.write_settings("")
    ready.promote(ready.accept(some_rows(200)))
    return ready


def start(stage: RetrainingStage, **changes: Any) -> dict[str, Any]:
    requested = stage.parts.retraining_requests.request_now(GROUP, by="ada", now=stage.now)
    return run(stage, requested.retraining_id)


def run(stage: RetrainingStage, retraining_id: str) -> dict[str, Any]:
    event = {"detail": {"group": GROUP, "retraining_id": retraining_id}}
    return stage.handle(app, event)


def test_the_set_is_a_dataset_with_lineage_and_is_trained_once(retraining, repository: Path):
    scored = some_rows(80, first=1001, seed=1)
    retraining.score(scored)
    retraining.label(scored)
    first = start(retraining)
    assert first["status"] == "started"
    for _ in range(3):
        assert run(retraining, first["retraining_id"]) == first
    assert retraining.executions() == {first["training_id"]}
    header, *records = retraining.training_set(retraining.newest())
    assert tuple(header) == HEADER
    assert records[-80:] == [[str(cell) for cell in row] for row in scored]
    assert len(records) == 280
    dataset = retraining.parts.versions.find_dataset(GROUP, retraining.newest().dataset_id)
    lineage = DatasetLineage.from_json(retraining.parts.objects.read(dataset.lineage))
    assert [(s.kind, s.n_rows) for s in lineage.sources] == [("file", 200), ("ledger", 80)]
    assert (lineage.sources[1].name, lineage.labels, dataset.n_rows) == ("b1", ("u1",), 280)
    arn = f"{retraining.stage.machine.replace(':stateMachine:', ':execution:')}:{first['training_id']}"
    document = json.loads(client("stepfunctions").describe_execution(executionArn=arn)["input"])
    assert document["settings"]["split"] == "last_rows"
    assert document["dataset_id"] == dataset.dataset_id
    assert [name for name, _ in retraining.events] == ["RetrainingRequested", "RetrainingStarted"]
    assert json.loads((repository / "events/retrain_model.json").read_text())["detail"].keys() == {
        "group",
        "retraining_id",
        "artifact_bucket",
    }


def test_a_row_that_several_sources_have_counts_once_as_the_newest_one_has_it(retraining):
    grown = [*some_rows(200), *some_rows(20, first=501, seed=2)]
    retraining.accept(grown, "grown.csv")
    corrected = [("P7", 33.3, "south", "yes"), *some_rows(60, first=1001, seed=1)]
    retraining.score(corrected, "b1")
    retraining.score(corrected, "b2", at=DAY + timedelta(hours=1))  # the same file once more
    retraining.label([*corrected, ("P1001", 0, "", "no")])  # two labels of one row: the last counts
    start(retraining)
    _, *records = retraining.training_set(retraining.newest())
    by_id = {record[0]: record[1:] for record in records}
    assert len(by_id) == len(records) == 200 + 20 + 60
    assert by_id["P7"] == ["33.3", "south", "yes"]
    assert by_id["P1001"][2] == "no"
    assert retraining.newest().n_new_rows == 80


def test_rows_without_kept_inputs_and_with_a_prediction_that_changed_the_outcome_are_left_out(retraining):
    scored = some_rows(80, first=1001, seed=1)
    retraining.score(scored[:40], "b1")
    retraining.score(scored[40:], "b2", kept=("age",))
    retraining.label(scored)
    retraining.write_settings('[retrain]\nexclude_predictions = "yes"\n')
    start(retraining)
    _, *records = retraining.training_set(retraining.newest())
    assert len(records) == 220  # every second prediction is `no`
    text = " ".join(retraining.newest().left_out)
    assert "20 scored rows with a known outcome, because inputs of the model were not kept" in text
    assert "40 scored rows whose prediction changed the outcome" in text


def test_with_files_latest_the_set_is_the_newest_file(retraining):
    retraining.write_settings('[retrain]\nfiles = "latest"\n')
    retraining.accept(some_rows(150, first=2001, seed=3), "new.csv")
    start(retraining)
    assert len(retraining.training_set(retraining.newest())) == 151
    assert retraining.newest().n_new_rows == 150


def test_files_that_cannot_be_used_are_left_out_and_named(retraining):
    without_age = [(row[0], row[2], row[3]) for row in some_rows(90, first=3001, seed=4)]
    retraining.accept(without_age, "narrow.csv", header=("patient_id", "region", "outcome"))
    removed = retraining.accept(some_rows(70, first=4001, seed=5), "removed.csv")
    retraining.accept(some_rows(150, first=2001, seed=3), "new.csv")
    client("s3").delete_object(
        Bucket=removed.ref.bucket, Key=removed.ref.key, VersionId=removed.ref.version_id
    )
    start(retraining)
    _, *records = retraining.training_set(retraining.newest())
    assert len(records) == 200 + 150
    narrow, unreadable = retraining.newest().left_out
    assert narrow.endswith("which has no age.")
    assert f"The file {removed.dataset_id[:12]}" in unreadable
    assert "cannot be read any more" in unreadable


def test_a_set_that_the_contract_refuses_is_not_trained_and_the_email_says_why(retraining):
    scored = [(f"Q{i}", "a", "north", "yes") for i in range(60)]
    retraining.write_settings('[columns.region]\nlevels = ["east"]\n')
    retraining.score(scored)
    retraining.label(scored)
    answer = start(retraining)
    assert answer["status"] == "refused"
    assert retraining.executions() == set()
    (email,) = retraining.emails()
    assert email["subject"] == f"[{GROUP}] Retraining was not started"
    assert retraining.newest().problem[:40] in " ".join(email["body"].split())
    run(retraining, answer["retraining_id"])
    assert len(retraining.emails()) == 1


def test_the_same_rows_are_trained_once(retraining):
    scored = some_rows(80, first=1001, seed=1)
    retraining.score(scored)
    retraining.label(scored)
    first = start(retraining)
    retraining.now += timedelta(hours=1)
    second = start(retraining)
    assert (first["status"], second["status"]) == ("started", "refused")
    assert retraining.newest().problem.startswith("The same rows were trained on before")
    assert retraining.executions() == {first["training_id"]}


def test_a_retraining_beyond_the_trainings_of_a_day_is_not_started_and_the_email_says_how_to_go_on(
    retraining,
):
    scored = some_rows(80, first=1001, seed=1)
    retraining.score(scored)
    retraining.label(scored)
    retraining.stage.set_policy(max_trainings_per_day=1)
    other = TrainingRecord(GROUP, "f" * 32, "d", "u", {}, retraining.now)
    retraining.parts.datasets.versions.trainings.start(other)
    assert start(retraining)["status"] == "refused"
    assert retraining.executions() == set()
    body = " ".join(retraining.emails()[-1]["body"].split())
    assert f"`mlops retrain {GROUP}` tomorrow" in body
    retraining.now += timedelta(days=1)
    assert start(retraining)["status"] == "started"


def test_only_what_was_requested_is_started_and_a_second_request_waits_for_its_start(retraining):
    with pytest.raises(TrainingError, match="no requested retraining"):
        run(retraining, "20260302T080000-v1.0.0")
    scored = some_rows(80, first=1001, seed=1)
    retraining.score(scored)
    retraining.label(scored)
    start(retraining)
    retraining.store.save(retraining.newest(), status="requested")
    with pytest.raises(TrainingError, match="already"):
        retraining.parts.retraining_requests.request_now(GROUP, by="ada", now=retraining.now)
