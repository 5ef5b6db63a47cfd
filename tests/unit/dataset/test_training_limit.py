"""The trainings that a group may start in a day: not one more, and no file is lost."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlops.approval.policy.changes import set_policy
from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.intake.recovery import recover_uploads
from mlops.intake.trainings import LONGEST_WAIT
from mlops.models.approval import PolicyRecord
from mlops.models.intake.trainings import TrainingRecord
from mlops.models.objects import ObjectRef
from tests.memory_table import MemoryTable
from tests.unit.dataset.intake_world import GOOD, NOW, World

DAY = timedelta(days=1)


def limit(world: World, **limits: int) -> None:
    record = PolicyRecord("g", revision=world.policies.store.get("g").revision, **limits)
    set_policy(world.policies, record, by="grace", reason="Costs.", now=NOW)


def another(n: int) -> str:
    """A valid file that differs from the others."""
    return GOOD + f"Q{n},40,a,yes\n"


def drop(world: World, n: int, now: datetime = NOW):
    upload = world.drop(f"g/training/{n}.csv", another(n))
    return upload, world.receive(upload, now=now)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    limit(world, max_trainings_per_day=1)
    return world


def test_a_file_beyond_the_limit_waits_and_is_trained_on_the_next_day(world: World) -> None:
    assert drop(world, 1)[1].outcome == "accepted"
    upload, received = drop(world, 2)
    assert (received.outcome, received.reason) == ("waiting", "training_limit")
    subject, body = world.notifier.emails[-1]
    assert subject == "[g] 2.csv waits for another day"
    assert "The policy of the group allows 1 training a day (UTC)" in body
    assert "mlops policy set g --max-trainings-per-day N --reason TEXT" in body
    n_emails = len(world.notifier.emails)
    assert world.receive(upload, now=NOW + timedelta(hours=2)).outcome == "waiting"
    assert (len(world.notifier.emails), len(world.executions.training)) == (n_emails, 1)
    received = world.receive(upload, now=NOW + DAY)
    assert (received.outcome, received.reason) == ("accepted", None)
    assert len(world.executions.training) == 2


def test_the_daily_sweep_hands_a_waiting_file_in_again(world: World) -> None:
    drop(world, 1)
    upload, _ = drop(world, 2)
    started = []
    stored_at = world.objects.head(upload.ref).stored_at
    recover_uploads(
        world.objects, world.versions, started.append, bucket="data", now=stored_at + DAY, hold=lambda _: None
    )
    assert [each.key for each in started] == ["g/training/2.csv"]


def test_a_raised_limit_lets_the_same_file_be_trained_on_today_and_only_once(world: World) -> None:
    drop(world, 1)
    first, _ = drop(world, 2)
    limit(world, max_trainings_per_day=2)
    assert world.receive(world.drop("g/training/again.csv", another(2))).outcome == "accepted"
    assert world.receive(first, now=NOW + DAY).reason == "same_content"
    assert len(world.executions.training) == 2


def test_a_file_that_waited_until_the_sweep_looks_no_more_is_answered(world: World) -> None:
    drop(world, 1)
    upload, _ = drop(world, 2)
    late = NOW + LONGEST_WAIT
    drop(world, 3, late)
    received = world.receive(upload, now=late)
    assert (received.outcome, received.reason) == ("rejected", "training_limit")
    assert "Drop it again" in world.notifier.emails[-1][1]


def test_what_was_trained_on_before_takes_no_place(world: World) -> None:
    drop(world, 1)
    assert world.receive(world.drop("g/training/copy.csv", another(1))).reason == "same_content"
    assert world.receive(world.drop("h/training/a.csv", GOOD)).outcome == "accepted"  # another group


def test_a_folder_that_waits_is_validated_again_on_another_day(world: World) -> None:
    closing = world.drop("g/training/folder/_SUCCESS", b"")
    world.receive(closing)
    record = world.versions.find_upload("g", closing.upload_id)
    assert record is not None
    world.versions.save_upload(record.changed(state="waiting", claim=None))
    for hours in (0, 1, 24):
        world.receive(closing, now=NOW + timedelta(hours=hours))
    assert list(world.executions.validation) == [
        closing.upload_id,
        f"{closing.upload_id}-20261005",
        f"{closing.upload_id}-20261006",
    ]


def test_a_search_beyond_the_limit_is_refused_in_a_sentence(world: World) -> None:
    limit(world, max_trials=10)
    world.objects.write(ObjectRef("data", "g/model.toml"), b"[search]\ntrials = 24", "text/plain")
    assert drop(world, 1)[1].reason == "policy"
    body = " ".join(world.notifier.emails[-1][1].split())
    assert "search.trials = 24 is more than the 10 of the policy of the group" in body
    world.objects.write(ObjectRef("data", "g/model.toml"), b"[search]\ntrials = 10", "text/plain")
    assert drop(world, 2)[1].outcome == "accepted"


def test_of_many_at_the_same_moment_no_more_than_the_limit_get_a_place() -> None:
    records, answers = TrainingRecords(MemoryTable()), {}
    trainings = [TrainingRecord("g", f"{n:032x}", "d", f"u{n}", {}, NOW) for n in range(12)]
    records.start(trainings[0])  # before there was a limit

    def ask(training: TrainingRecord) -> None:
        answers[training.training_id] = records.take_place(training, 4)

    threads = [threading.Thread(target=ask, args=(training,)) for training in trainings[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers.values()) == 3
    granted = next(training for training in trainings[1:] if answers[training.training_id])
    assert records.take_place(granted, 4)  # a repeated call keeps its place
