"""Every dropped object gets an answer: over files instead of AWS, killed at every step, delivered twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.upload_events import NO_GROUP, Upload
from mlops.intake.answers.digest import Digests, compose_digest
from mlops.intake.answers.given_up import MAX_ATTEMPTS
from mlops.intake.answers.listing import is_unused, why_unused
from mlops.intake.answers.misplaced import MAX_EMAILS_PER_HOUR
from mlops.intake.recovery import recover_uploads
from mlops.models.intake.uploads import UploadRecord
from tests.unit.dataset.intake_world import GOOD, LATER, NOW, Killed, Unavailable, World
from tests.unit.dataset.test_intake import a_champion

TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def the_email(world: World) -> tuple[str, str]:
    (email,) = world.notifier.emails
    return email


def sweep(world: World, now: datetime = TOMORROW) -> tuple[list[Upload], int]:
    """Sweep as the function does; return what was started again, and the number of digests."""
    started: list[Upload] = []
    digests = Digests()
    # the files of this world are as old as the test: the sweep looks from a day later
    later = datetime.now(now.tzinfo) + (now - NOW)
    recover_uploads(world.objects, world.versions, started.append, digests.add, bucket="data", now=later)
    return started, digests.send(world.versions, world.notifier)


@pytest.mark.parametrize(
    ("key", "reason", "in_the_email"),
    [
        ("x.csv", "outside_a_group", "<group>/training/x.csv"),
        ("g/train/x.csv", "outside_training_and_inference", "g/training/x.csv"),
        ("g/x.csv", "outside_training_and_inference", "g/inference/x.csv"),
        ("g /training/x.csv", "no_group_name", "g/training/x.csv"),
        ("g/outcomes/x.csv", "outside_training_and_inference", "g/labels/x.csv"),
        ("g/inference/f/_SUCCESS", "closes_nothing", "each of them is scored alone"),
        ("g/training/a\nb.csv", "unusable_name", "g/training/ab.csv"),
    ],
)
def test_an_object_in_a_wrong_place_is_answered_by_email_event_metric_and_record(
    world: World, key: str, reason: str, in_the_email: str
) -> None:
    upload = world.drop(key, GOOD)
    received = world.receive(upload)
    assert (received.outcome, received.reason) == ("ignored", reason)
    subject, body = the_email(world)
    assert subject.startswith(f"[{upload.group or NO_GROUP}] ")
    assert subject.endswith(" was not used")
    assert in_the_email in body
    ((kind, detail),) = world.notifier.events
    assert (kind, detail["group"], detail["reason"]) == ("UploadIgnored", upload.group, reason)
    assert [metric.name for metric in world.notifier.metrics] == ["UploadsIgnored"]
    (record,) = world.versions.list_uploads(upload.group or NO_GROUP)
    assert (record.state, record.reason, is_unused(record)) == ("ignored", reason, True)
    assert world.objects.exists(upload.ref), "it stays where it is"
    assert world.artifacts() == []


def test_a_wrong_place_is_answered_once_however_often_the_event_comes(world: World) -> None:
    upload = world.drop("g/train/x.csv", GOOD)
    world.receive(upload)
    assert world.receive(upload, owner="twin", now=LATER).is_repeated
    assert len(world.notifier.said()) == 3


@pytest.mark.parametrize("before", [True, False])
def test_an_answer_that_is_killed_around_any_call_is_given_by_the_retry(tmp_path: Path, before: bool) -> None:
    for step in range(1, 60):
        world = World(tmp_path / str(step))
        upload = world.drop("g/train/x.csv", GOOD)
        countdown = [step]
        try:
            world.receive(upload, world.ports(countdown, before=before))
        except Killed:
            world.receive(upload)
        said = world.notifier.said()
        assert set(said) == {"UploadIgnored", "UploadsIgnored", "[g] x.csv was not used"}
        assert len(said) <= 4, "at most the one that was sent and not yet removed"
        if countdown[0] > 0:
            assert step > 8
            return
    pytest.fail("the run never ended")


def test_a_known_group_is_proposed_for_a_name_that_is_nearly_the_same(world: World) -> None:
    world.receive(world.drop("medication/training/x.csv", GOOD))
    world.receive(world.drop("medicaton/train/x.csv", GOOD))
    assert "medication/training/x.csv" in world.notifier.emails[-1][1]
    world.receive(world.drop("x.csv", GOOD))
    assert "medication/training/x.csv" in world.notifier.emails[-1][1]


def test_a_group_that_differs_only_in_case_is_not_made(world: World) -> None:
    world.receive(world.drop("medication/training/x.csv", GOOD))
    for key in ("Medication/training/x.csv", "Medication/inference/x.csv", "Medication/model.toml"):
        received = world.receive(world.drop(key, GOOD))
        assert (received.outcome, received.reason) == ("ignored", "group_differs_in_case")
        assert key.lower() in world.notifier.emails[-1][1]
    assert len(world.executions.training) == 1
    assert world.versions.list_groups() == ("medication",)


def test_a_group_of_an_earlier_release_is_used_whatever_other_groups_are_called(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        # an earlier release accepted files, and did not record the names of groups
        earlier.setattr(DatasetVersions, "add_group", lambda self, group: None)
        world.receive(world.drop("Old/training/x.csv", GOOD))
    world.versions.add_group("old")
    assert world.receive(world.drop("Old/training/y.csv", GOOD.replace("P1,", "Q1,"))).outcome == "accepted"


def test_too_many_emails_become_one_digest_and_none_is_lost(world: World) -> None:
    world.receive(world.drop("g/model.toml", ""))
    keys = [f"g/train/{n:03d}.csv" for n in range(60)] + [f"h{n}/x{n:03d}.csv" for n in range(40)]
    for key in keys:
        world.receive(world.drop(key, GOOD))
    emails = list(world.notifier.emails)
    assert len(emails) == 2 * MAX_EMAILS_PER_HOUR, "20 of the group, 20 of folders that are not of a group"
    assert len(world.notifier.events) == len(world.notifier.metrics) == len(keys)
    assert sweep(world) == ([], 2)
    digests = world.notifier.emails[len(emails) :]
    assert {subject for subject, _ in digests} == {
        "[g] 40 files were not used",
        f"[{NO_GROUP}] 20 files were not used",
    }
    for key in keys:
        texts = [body for _, body in (*emails, *digests) if f"{key}" in body]
        assert len(texts) == 1, key
    assert sweep(world, TOMORROW + timedelta(days=1)) == ([], 0), "a digest is sent once"


def test_each_hour_has_emails_again(world: World) -> None:
    for hour in range(2):
        for n in range(MAX_EMAILS_PER_HOUR + 5):
            upload = world.drop(f"g/train/{hour}-{n}.csv", GOOD)
            world.receive(upload, now=NOW + timedelta(hours=hour))
    assert len(world.notifier.emails) == 2 * MAX_EMAILS_PER_HOUR


def test_a_digest_whose_run_is_killed_is_sent_by_the_next_sweep(world: World) -> None:
    world.versions.add_group("g")
    for n in range(MAX_EMAILS_PER_HOUR + 3):
        world.receive(world.drop(f"g/train/{n}.csv", GOOD))
    digests = Digests()
    records = [r for r in world.versions.list_uploads("g") if r.digest]
    assert len(records) == 3
    for record in records:
        digests.add(record)
    with pytest.raises(ConnectionError):
        digests.send(world.versions, Unavailable())  # type: ignore[arg-type]
    assert sweep(world) == ([], 1)
    assert world.notifier.emails[-1][0] == "[g] 3 files were not used"


def test_a_digest_fits_into_an_email_and_counts_the_rest() -> None:
    lines = [f"g/train/{'é' * 100}{n}.csv: why" for n in range(5_000)]
    subject, body = compose_digest("g", lines)
    assert subject == "[g] 5,000 files were not used"
    assert len(body.encode()) < 256 * 1024
    assert "more; `mlops datasets list --ignored` lists all" in body


def test_an_unused_file_whose_event_was_lost_is_answered_after_the_sweep(world: World) -> None:
    lost = world.drop("g/train/x.csv", GOOD)
    assert sweep(world) == ([lost], 0)
    world.receive(lost)
    assert sweep(world) == ([], 0)


def test_half_a_file_is_never_trained_nor_put_into_quarantine(world: World) -> None:
    world.receive(world.drop("g/training/a.csv.part", GOOD[: len(GOOD) // 2]))
    assert (world.executions.training, world.artifacts(), world.notifier.emails) == ({}, [], [])
    (record,) = world.versions.list_uploads("g")
    assert "has not finished this file" in why_unused(record)


def test_an_ignored_name_costs_one_write(world: World) -> None:
    writes: list[str] = []
    versions = world.versions

    class Counting:
        def __getattr__(self, name: str) -> object:
            writes.append(name)
            return getattr(versions, name)

    upload = world.drop("g/training/Thumbs.db", "x")
    world.receive(upload, replace(world.ports(), versions=Counting()))  # type: ignore[arg-type]
    assert writes == ["add_upload"]


def test_the_object_without_content_that_a_program_writes_first_is_not_answered(world: World) -> None:
    first = world.drop("g/training/x.csv", "")
    received = world.receive(first)
    assert (received.outcome, received.reason) == ("ignored", "empty")
    second = world.drop("g/training/x.csv", GOOD)
    assert world.receive(second, now=NOW + timedelta(seconds=3)).outcome == "accepted"
    assert [subject for subject, _ in world.notifier.emails] == ["[g] x.csv was accepted, training started"]
    assert sweep(world) == ([first], 0)
    later = world.receive(first, owner="sweep", now=TOMORROW)
    assert (later.outcome, later.reason) == ("ignored", "empty")
    assert len(world.notifier.emails) == 1
    assert sweep(world) == ([], 0)


def test_a_file_without_content_that_no_other_follows_is_rejected_by_the_sweep(world: World) -> None:
    upload = world.drop("g/training/x.csv", "")
    world.receive(upload)
    again = world.receive(upload, owner="twin", now=NOW + timedelta(minutes=59))
    assert (again.outcome, world.notifier.emails) == ("ignored", [])
    assert sweep(world)[0] == [upload]
    received = world.receive(upload, owner="sweep", now=TOMORROW)
    assert (received.outcome, received.reason) == ("rejected", "empty_file")
    assert "empty" in the_email(world)[1]


def test_an_object_without_content_in_a_wrong_place_is_ignored(world: World) -> None:
    assert world.receive(world.drop("g/new folder", "")).reason == "empty"
    assert world.receive(world.drop("incoming", "")).reason == "empty"
    assert world.notifier.emails == []


def test_broken_settings_are_reported_when_they_are_dropped(world: World) -> None:
    upload = world.drop("g/model.toml", 'target = "adherent"\n\n[drift]\nthreshhold = 0.2\n')
    received = world.receive(upload)
    assert (received.outcome, received.reason) == ("rejected", "settings")
    subject, body = the_email(world)
    assert subject == "[g] model.toml cannot be used"
    assert "Line 4: Unknown setting 'drift.threshhold'. Did you mean 'threshold'" in body
    assert world.notifier.said() == ["SettingsFilesRejected", "SettingsRejected", subject]
    assert world.objects.exists(upload.ref), "it stays where it is"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("x = " + "[" * 5_000, "nested too deeply"),
        ("\ufffe", "not valid TOML"),
        ('algorithm = "XGBost"', "XGBoost"),
        ("[hyperparameters]\nn_estimators = 1_000_000_000", "at most 10,000"),
        ("[search]\ntrials = 100_000_000", "from 2 to 1000"),
        ("#" * 500_000, "the limit is 400,000"),
    ],
)
def test_settings_that_cannot_work_are_refused_when_they_are_dropped(
    world: World, content: str, problem: str
) -> None:
    assert world.receive(world.drop("g/model.toml", content)).outcome == "rejected"
    assert problem in the_email(world)[1]


def test_good_settings_are_accepted_without_an_email(world: World) -> None:
    upload = world.drop("g/model.toml", 'target = "adherent"')
    assert [world.receive(upload).outcome, world.receive(upload).outcome] == ["accepted", "accepted"]
    assert world.notifier.said() == []
    assert sweep(world) == ([], 0)


def test_settings_that_name_a_column_that_no_file_has_are_accepted_with_a_warning(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", GOOD))
    settings = 'target = "adherent"\nid_columns = ["patientid"]\n[columns.wards]\nkind = "category"\n'
    settings += '[slices]\ncolumns = ["sexe"]\n'
    assert world.receive(world.drop("g/model.toml", settings)).outcome == "accepted"
    subject, body = world.notifier.emails[-1]
    assert subject == "[g] model.toml names unknown columns"
    assert "id_columns: patientid. Did you mean 'patient_id'?" in body
    assert "columns: wards." in body
    assert "slices.columns: sexe." in body
    assert "target:" not in body


def test_a_direction_of_a_number_that_training_makes_is_no_unknown_column(world: World) -> None:
    world.receive(world.drop("g/training/a.csv", GOOD))
    settings = (
        'target = "adherent"\ntext_columns = ["ward"]\ndate_parts = { seen = ["month"] }\n[monotonic]\n'
    )
    world.receive(
        world.drop("g/model.toml", f'{settings}ward_words = "increasing"\nseen_year = "increasing"\n')
    )
    _, body = world.notifier.emails[-1]
    assert "monotonic: seen_year." in body
    assert "ward_words" not in body


def test_broken_settings_do_not_stop_scoring_and_stop_a_training_once(world: World) -> None:
    world.models.found.append(a_champion())
    world.receive(world.drop("g/model.toml", "tarqet = 1"))
    assert world.receive(world.drop("g/inference/a.csv", GOOD)).outcome == "accepted"
    upload = world.drop("g/training/a.csv", GOOD)
    assert world.receive(upload).reason == "settings"
    assert world.receive(upload).is_repeated
    assert len(world.notifier.emails) == 2


def failing(world: World, upload: Upload, attempts: int) -> None:
    for number in range(attempts):
        with pytest.raises(ConnectionError):
            world.receive(upload, replace(world.ports(), executions=Unavailable()), owner=f"run {number}")


def test_an_upload_that_fails_again_and_again_is_given_up_once_and_can_be_started_again(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    failing(world, upload, MAX_ATTEMPTS)
    assert sweep(world)[0] == [upload]
    received = world.receive(upload, replace(world.ports(), executions=Unavailable()), owner="sweep")
    assert (received.outcome, received.reason) == ("failed", "ConnectionError")
    subject, body = the_email(world)
    assert subject == "[g] a.csv could not be processed"
    assert "mlops replay" in body
    assert world.notifier.said() == ["UploadFailed", "UploadsFailed", subject]
    assert sweep(world) == ([], 0), "dead letters do not grow with each sweep"
    assert world.receive(upload, owner="replay").outcome == "accepted"
    assert world.receive(world.drop("g/training/a.csv", GOOD + "P900,44,b,no\n")).outcome == "accepted"


def test_runs_that_are_killed_count_as_attempts_too(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    for number in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            world.receive(
                upload,
                world.ports([6], before=True),
                owner=f"{number}",
                now=NOW + number * timedelta(hours=1),
            )
    received = world.receive(upload, owner="last", now=TOMORROW)
    assert (received.outcome, received.reason) == ("failed", "CutShort")
    assert "lack of memory" in the_email(world)[1]


@pytest.mark.parametrize(
    ("folder", "remedy"), [("training", "as a folder of parts"), ("inference", "split the file")]
)
def test_a_large_file_whose_runs_are_cut_short_is_not_tried_a_third_time(
    folder: str, remedy: str, world: World
) -> None:
    world.models.found.append(a_champion())
    upload = replace(world.drop(f"g/{folder}/a.csv", GOOD), size_bytes=300 * 2**20)
    for minutes in (0, 16):
        with pytest.raises(Killed):
            world.receive(upload, world.ports([6], before=True), now=NOW + timedelta(minutes=minutes))
    received = world.receive(upload, now=NOW + timedelta(minutes=33))
    assert (received.outcome, received.reason) == ("failed", "CutShort")
    subject, body = the_email(world)
    assert subject == "[g] a.csv could not be processed"
    assert "300 MiB" in body
    assert remedy in body
    assert sweep(world) == ([], 0)


def test_an_upload_whose_answer_cannot_be_sent_is_not_given_up(world: World) -> None:
    upload = world.drop("g/training/a.csv", GOOD)
    for _ in range(2 * MAX_ATTEMPTS):
        with pytest.raises(ConnectionError):
            world.receive(upload, replace(world.ports(), notifier=Unavailable()))
    assert world.receive(upload).outcome == "accepted"


def test_records_of_an_earlier_release_are_read(world: World) -> None:
    stored = UploadRecord("g", "1", "g/x.csv", None, "ignored", NOW, reason="outside_training_and_inference")
    document = {
        key: value for key, value in stored.to_dict().items() if key not in ("n_attempts", "fault", "digest")
    }
    assert UploadRecord.from_dict(document) == stored
    assert is_unused(stored)
