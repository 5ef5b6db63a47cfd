"""Labels that are dropped are recorded once for each version of a file, or refused as a whole by email."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mlops.ledger.batches import RecordedBatch, ScoredBatch
from mlops.models.dataset import ColumnContract, Contract
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import ModelMetadata, Status
from mlops.models.training import EvaluationMetrics
from tests.unit.dataset.intake_world import LATER, NOW, Killed, World

CONTRACT = Contract(
    (ColumnContract("patient_id", "text", "id"), ColumnContract("adherent", "category", "target")), "adherent"
)
KEY = "g/labels/november.csv"
GOOD = "patient_id,adherent\nP1,yes\nP2,no\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A group with a champion that was trained elsewhere, and one scored batch."""
    world = World(tmp_path)
    document = ObjectRef("artifacts", "datasets/g/contracts/1.json")
    stored = world.objects.write(document, CONTRACT.to_json().encode(), "application/json")
    world.versions.record_contract("g", 1, stored, now=NOW)
    metrics = EvaluationMetrics(labels=("no", "yes"), positive_label="yes", task="binary")
    champion = ModelMetadata(
        "Ridge",
        {},
        metrics,
        "d1",
        Artifact("s3://artifacts/m", "0"),
        target="adherent",
        task="binary",
        model_group="g",
        version="v1.0.0",
        number=1,
        status=Status.CHAMPION,
        created_at=NOW,
    )
    world.models.found.append(champion)
    batch = ScoredBatch("g", "1f0c2b3a4d5e6f708192a3b4c5d6e7f8", "week 9/march.csv", "v1.0.0", NOW)
    world.batches.record(RecordedBatch(batch, 5, ("patient_id",), ("no", "yes"), 2))
    return world


def label_files(world: World) -> list[str]:
    return [key for key in world.artifacts() if key.startswith("labels/")]


def test_labels_are_recorded_and_answered_by_an_email_an_event_and_a_metric(world: World) -> None:
    upload = world.drop(KEY, GOOD)
    received = world.receive(upload)
    assert (received.outcome, received.purpose, received.n_rows) == ("accepted", "labels", 2)
    assert label_files(world) == [
        f"labels/model_group=g/label_date=2026-10-05/file-{upload.upload_id}.parquet"
    ]
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] november.csv: labels recorded"
    assert "2 labels of g/labels/november.csv were recorded." in body
    ((kind, detail),) = world.notifier.events
    assert (kind, detail["purpose"], detail["n_rows"]) == ("DatasetAccepted", "labels", 2)


def test_an_event_that_comes_again_records_nothing_and_another_version_is_another_file(world: World) -> None:
    upload = world.drop(KEY, GOOD)
    world.receive(upload)
    assert world.receive(upload, now=LATER).is_repeated
    assert len(label_files(world)) == len(world.notifier.emails) == 1
    world.receive(world.drop(KEY, GOOD.replace("no", "yes")))
    assert len(label_files(world)) == 2


@pytest.mark.parametrize("last_call", range(1, 12))
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(world: World, last_call: int) -> None:
    upload = world.drop(KEY, GOOD)
    try:
        world.receive(upload, world.ports([last_call]))
    except Killed:
        world.receive(upload, owner="next", now=NOW + timedelta(hours=2))
    assert len(label_files(world)) == 1
    assert {email[0] for email in world.notifier.emails} == {"[g] november.csv: labels recorded"}


def test_a_file_with_a_fault_is_moved_to_quarantine_and_nothing_of_it_is_recorded(world: World) -> None:
    upload = world.drop(KEY, f"{GOOD}P3,perhaps\n")
    received = world.receive(upload)
    assert (received.outcome, received.reason) == ("rejected", "unknown_classes")
    assert label_files(world) == []
    assert not world.objects.exists(upload.ref)
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] november.csv was rejected"
    assert "'perhaps'" in body
    assert "Its classes: no, yes." in body


def test_labels_of_rows_name_their_batch_by_the_name_of_the_file(world: World) -> None:
    for name in ("march-1f0c2b3a4d5e.csv", "march.csv", "1f0c2b3a4d5e.csv"):
        assert world.receive(world.drop(f"g/labels/{name}", "row,label\n1,yes\n5,no\n")).outcome == "accepted"
    refused = world.receive(world.drop("g/labels/april.csv", "row,label\n1,yes\n"))
    assert (refused.outcome, refused.reason) == ("rejected", "label_batches")


def test_labels_wait_for_the_first_champion(world: World) -> None:
    champion = world.models.found.pop()
    upload = world.drop(KEY, GOOD)
    assert world.receive(upload).outcome == "waiting"
    assert "The labels in g/labels/november.csv wait" in world.notifier.emails[0][1]
    world.models.found.append(champion)
    assert world.receive(upload, now=LATER).outcome == "accepted"


def test_what_model_toml_says_about_the_form_of_labels_counts(world: World) -> None:
    world.drop("g/model.toml", '[format.labels]\ndateformat = "%d.%m.%Y"\n')
    rows = "patient_id,adherent,label_time\nP1,yes,03.10.2026\nP2,no,04.10.2026\n"
    assert world.receive(world.drop(KEY, rows)).outcome == "accepted"
