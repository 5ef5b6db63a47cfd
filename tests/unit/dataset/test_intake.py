"""Outcomes of an upload: over files instead of AWS, killed at every step, delivered twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mlops.infrastructure.upload_events import Upload
from mlops.intake.uploads import why_ignored
from mlops.intake.waiting import start_waiting
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import ModelMetadata, Source, Status
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from tests.unit.dataset.intake_world import (
    GOOD,
    LATER,
    NOW,
    Interrupted,
    Killed,
    Unavailable,
    World,
)

BAD = GOOD.replace(",20,", ",canary@example.org,", 1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def a_champion(dataset_id: str = "other") -> ModelMetadata:
    return ModelMetadata(
        model_group="g",
        version="v1.0.0",
        number=1,
        status=Status.CHAMPION,
        created_at=NOW,
        algorithm="RandomForest",
        hyperparameters={},
        metrics=EvaluationMetrics(),
        dataset_version=dataset_id,
        artifact=Artifact("s3://artifacts/model.tar.gz", "ab", "1"),
        settings=GroupSettings(target="adherent"),
        source=Source(uri="s3://artifacts/code"),
    )


def test_a_good_training_file_becomes_a_dataset_and_starts_one_training(world: World) -> None:
    received = world.receive(world.drop("g/training/a.csv", GOOD))
    assert (received.outcome, received.n_rows) == ("accepted", 120)
    (dataset,) = world.versions.list_datasets("g")
    assert world.objects.read(dataset.ref).decode() == GOOD
    (name, document), *rest = world.executions.training.items()
    assert (rest, name, document["dataset_id"]) == ([], received.work_id, dataset.dataset_id)
    assert set(document) == {
        "group", "training_id", "dataset_id", "dataset", "upload", "upload_id", "settings", "task",
        "contract", "validation",
    }  # fmt: skip
    assert document["contract"] == dataset.contract.to_dict()
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] a.csv was accepted, training started"
    assert "target: adherent, binary" in body


def test_a_bad_file_is_quarantined_deleted_and_explained(world: World) -> None:
    upload = world.drop("g/training/a.csv", BAD)
    received = world.receive(upload)
    assert (received.outcome, received.reason) == ("rejected", "type_mismatch")
    folder = f"quarantine/g/{upload.upload_id}"
    assert world.artifacts() == [f"{folder}/a.csv", f"{folder}/report.html", f"{folder}/report.json"]
    assert not world.objects.exists(upload.ref)
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] a.csv was rejected"
    assert "line 2" in body
    assert f"s3://artifacts/{folder}/report.html" in body
    assert world.executions.training == {}


def test_no_cell_value_leaves_through_mail_event_or_result(world: World) -> None:
    received = world.receive(world.drop("g/training/a.csv", BAD))
    assert "canary" not in repr((world.notifier.emails, world.notifier.events, received))


def test_a_corrected_file_under_the_same_key_goes_through(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", BAD))
    assert world.receive(world.drop("g/training/a.csv", GOOD)).outcome == "accepted"


def test_rejecting_an_old_version_leaves_the_newer_one_alone(world: World) -> None:
    old = world.drop("g/training/a.csv", BAD)
    new = world.drop("g/training/a.csv", GOOD)
    world.receive(old)
    assert world.objects.exists(new.ref)
    assert not world.objects.exists(old.ref)


def test_the_same_event_twice_does_nothing_more(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    first, second = world.receive(upload), world.receive(upload)
    assert second.is_repeated
    assert second.work_id == first.work_id
    assert len(world.notifier.events) == 1


def test_the_same_bytes_under_another_name_start_nothing_and_the_mail_says_so(world: World) -> None:
    first = world.receive(world.drop("g/training/a.csv", GOOD))
    second = world.receive(world.drop("g/training/b.csv", GOOD))
    assert (second.outcome, second.reason, second.work_id) == ("accepted", "same_content", first.work_id)
    assert len(world.executions.training) == 1
    assert "started at" in world.notifier.emails[-1][1]
    assert len(world.notifier.emails) == 2, "the receipt of the first, and that nothing is trained twice"


def test_the_mail_about_known_bytes_names_the_version_they_became(world: World) -> None:
    world.drop("g/model.toml", 'target = "adherent"')
    first = world.receive(world.drop("g/training/a.csv", GOOD))
    world.models.found.append(a_champion(str(first.dataset_id)))
    world.receive(world.drop("g/training/b.csv", GOOD))
    assert "version v1.0.0" in world.notifier.emails[-1][1]


def test_other_settings_train_the_same_bytes_again(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", GOOD))
    world.drop("g/model.toml", 'algorithm = "XGBoost"')
    world.receive(world.drop("g/training/b.csv", GOOD))
    assert len(world.executions.training) == 2
    assert len(world.versions.list_datasets("g")) == 1


def test_bad_settings_reject_the_file_and_say_what_to_correct(world: World) -> None:
    world.drop("g/model.toml", 'tarqet = "adherent"')
    received = world.receive(world.drop("g/training/a.csv", GOOD))
    assert (received.outcome, received.reason) == ("rejected", "settings")
    assert "Did you mean 'target'?" in world.notifier.emails[0][1]


def test_later_files_are_held_against_the_first(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", GOOD))
    received = world.receive(world.drop("g/training/b.csv", GOOD.replace("age", "years", 1)))
    assert (received.outcome, received.reason) == ("rejected", "missing_columns")


def test_a_column_of_words_where_numbers_were_learned_is_refused(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", GOOD))
    header, *rows = GOOD.splitlines()
    cells = [row.split(",") for row in rows]
    words = "\n".join([header, *(f"{i},{plan},{plan},{y}" for i, _, plan, y in cells)])
    received = world.receive(world.drop("g/training/b.csv", words))
    assert (received.outcome, received.reason) == ("rejected", "type_mismatch")


def test_a_scoring_file_is_tied_to_the_champion_of_the_moment(world: World) -> None:
    world.models.found.append(a_champion())
    upload = world.drop("g/inference/a.csv", GOOD)
    world.receive(upload)
    document = world.executions.inference[upload.upload_id]
    assert document["folder"] == f"predictions/g/{NOW.date()}/a-{upload.upload_id[:12]}"
    kept = ObjectRef("artifacts", f"{document['folder']}/request.json")
    assert json.loads(world.objects.read(kept)) == document, "a scoring job reads its request from there"
    assert document["model"] == {
        "version": "v1.0.0",
        "artifact": {"uri": "s3://artifacts/model.tar.gz", "sha256": "ab", "version_id": "1"},
        "source_uri": "s3://artifacts/code",
        "is_compiled": False,
    }
    assert document["batch_id"] == upload.upload_id


def test_a_scoring_file_names_the_function_by_the_form_of_the_champion(world: World) -> None:
    world.models.found.append(replace(a_champion(), is_compiled=True))
    upload = world.drop("g/inference/a.csv", GOOD)
    world.receive(upload)
    assert world.executions.inference[upload.upload_id]["model"]["is_compiled"] is True


def test_a_scoring_file_may_lack_or_spoil_a_column_that_the_champion_does_not_use(world: World) -> None:
    world.receive(world.drop("g/training/first.csv", GOOD))
    names, *rows = (line.split(",") for line in GOOD.splitlines())
    features = [name for name in names if name not in (names[0], "adherent")]
    world.models.found.append(replace(a_champion(), features=(features[0],)))
    lacking = [[cell for name, cell in zip(names, row, strict=True) if name != features[1]] for row in rows]
    header = ",".join(name for name in names if name != features[1])
    content = "\n".join([header, *(",".join(row) for row in lacking)]) + "\n"
    assert world.receive(world.drop("g/inference/a.csv", content)).outcome == "accepted"
    needed = content.replace(features[0], "other")
    assert world.receive(world.drop("g/inference/b.csv", needed)).reason == "missing_columns"


def test_a_scoring_file_is_held_against_the_contract_that_its_model_was_trained_under(world: World) -> None:
    first = world.receive(world.drop("g/training/a.csv", GOOD))
    world.models.found.append(a_champion(str(first.dataset_id)))
    widened = ObjectRef("artifacts", "datasets/g/contracts/00000002.json")
    existing = world.versions.current_contract("g")
    assert existing is not None
    other = world.objects.read(existing).replace(b'"age"', b'"years"')
    world.versions.record_contract("g", 2, world.objects.write(widened, other, "application/json"), now=NOW)
    assert world.receive(world.drop("g/inference/a.csv", GOOD)).outcome == "accepted"


def test_a_scoring_file_without_a_champion_waits_and_is_scored_once_after_the_first_approval(
    world: World,
) -> None:
    upload = world.drop("g/inference/a.csv", GOOD)
    assert world.receive(upload).outcome == "waiting"
    assert world.receive(upload, now=LATER).outcome == "waiting"
    assert [subject for subject, _ in world.notifier.emails] == ["[g] a.csv waits for a model"]
    world.models.found.append(a_champion())
    handed: list[Upload] = []
    for _ in range(2):  # the event of the champion is delivered twice
        start_waiting("g", world.versions, world.objects, handed.append, bucket="data")
    assert handed == [upload, upload]
    assert [world.receive(each, now=LATER).outcome for each in handed] == ["accepted", "accepted"]
    assert list(world.executions.inference) == [upload.upload_id]
    assert start_waiting("g", world.versions, world.objects, handed.append, bucket="data") == 0


def test_the_daily_sweep_scores_a_file_whose_new_champion_was_missed(world: World) -> None:
    upload = world.drop("g/inference/a.csv", GOOD)
    world.receive(upload)
    record = world.versions.find_upload("g", upload.upload_id)
    assert record is not None
    assert record.is_open


def test_many_looks_at_a_waiting_file_never_give_it_up(world: World) -> None:
    upload = world.drop("g/inference/a.csv", GOOD)
    outcomes = {
        world.receive(upload, owner=f"run {n}", now=NOW + n * (LATER - NOW)).outcome for n in range(30)
    }
    assert outcomes == {"waiting"}
    assert len(world.notifier.emails) == 1


def test_a_scoring_file_without_a_champion_is_refused_where_the_settings_say_so(world: World) -> None:
    world.drop("g/model.toml", "[scoring]\nwait_for_champion = false\n")
    received = world.receive(world.drop("g/inference/a.csv", GOOD))
    assert (received.outcome, received.reason) == ("rejected", "no_champion")
    assert "Approve a version first" in world.notifier.emails[0][1]


def test_an_upload_that_was_deleted_before_it_was_read_is_closed(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    world.objects.delete(upload.ref)
    assert (world.receive(upload).outcome, world.receive(upload).reason) == ("ignored", "deleted")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("g/training/", "folder"),
        ("g/folder.csv/", "folder"),
        ("g/training/.csv", "hidden_file"),
        ("g/training/a.csv.part", "unfinished_transfer"),
        ("g/model.toml", None),
        ("top.csv", None),
        ("g/training/my file (1)+%20é=.csv", None),
        ("g/training/UPPER.CSV", None),
    ],
)
def test_only_names_that_are_never_data_are_ignored_without_an_answer(key: str, reason: str | None) -> None:
    assert why_ignored(Upload("data", key, "1", 10)) == reason


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("content", [GOOD, BAD], ids=["accepted", "rejected"])
def test_a_run_killed_around_any_call_is_finished_by_its_retry(
    tmp_path: Path, content: str, before: bool
) -> None:
    whole = World(tmp_path / "whole")
    expected = whole.receive(whole.drop("g/training/a.csv", content))
    for step in range(1, 100):
        world = World(tmp_path / f"killed{step}")
        upload = world.drop("g/training/a.csv", content)
        countdown = [step]
        try:
            world.receive(upload, world.ports(countdown, before=before))
        except Killed:
            world.receive(upload)
        assert world.artifacts() == [
            key.replace(str(expected.upload_id), upload.upload_id) for key in whole.artifacts()
        ]
        assert world.executions.training.keys() == whole.executions.training.keys()
        (record,) = world.versions.list_uploads("g")
        assert (record.state, record.is_open, record.claim) == (expected.outcome, False, None)
        assert world.objects.exists(upload.ref) == (expected.outcome == "accepted")
        said, once = world.notifier.said(), whole.notifier.said()
        assert set(said) == set(once)
        assert len(said) <= len(once) + 1  # the one thing that was said and not yet noted
        if countdown[0] > 0:
            assert step > 8
            return
    pytest.fail("the run never ended")


def test_a_delivery_leaves_an_upload_alone_that_another_run_works_on(world: World) -> None:
    upload = world.drop("g/training/a.csv", BAD)
    with pytest.raises(Killed):
        world.receive(upload, world.ports([5], before=True))
    other = world.receive(upload, owner="other", now=NOW + timedelta(minutes=14))
    assert (other.outcome, other.is_repeated, world.notifier.said()) == ("in_progress", True, [])
    later = world.receive(upload, owner="other", now=NOW + timedelta(minutes=16))
    assert (later.outcome, later.is_repeated) == ("rejected", False)


def test_a_run_whose_claim_was_taken_over_says_nothing(world: World) -> None:
    upload = world.drop("g/training/a.csv", BAD)
    late = world.ports()
    slow = replace(
        late, objects=Interrupted(world.objects, lambda: world.receive(upload, owner="other", now=LATER))
    )
    assert world.receive(upload, slow).outcome == "rejected"
    assert len(world.notifier.emails) == 1


def test_after_a_fault_any_delivery_may_go_on_at_once(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    broken = replace(world.ports(), executions=Unavailable())
    with pytest.raises(ConnectionError):
        world.receive(upload, broken)
    assert world.receive(upload, owner="other").outcome == "accepted"


def test_a_mail_that_could_not_be_sent_is_sent_by_the_next_delivery(world: World) -> None:
    upload = world.drop("g/training/a.csv", BAD)
    with pytest.raises(ConnectionError):
        world.receive(upload, replace(world.ports(), notifier=Unavailable()))
    assert world.receive(upload, owner="other").outcome == "rejected"
    assert len(world.notifier.emails) == 1


def test_the_reason_of_an_ignored_upload_is_recorded_and_counted_once(world: World) -> None:
    upload = world.drop("g/training/a.csv.part", "half a fi")
    assert [world.receive(upload, now=now).is_repeated for now in (NOW, LATER)] == [False, True]
    (record,) = world.versions.list_uploads("g")
    assert (record.state, record.reason, record.is_open) == ("ignored", "unfinished_transfer", False)
    assert world.notifier.said() == ["UploadsIgnored"]
