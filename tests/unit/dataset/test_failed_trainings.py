"""The same file again, after its training has failed: one more attempt for each drop."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from mlops.intake.trainings import STARTING_TIME
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from tests.unit.dataset.intake_world import GOOD, LATER, NOW, Killed, World

REASON = "The job ended without a reason (exit code 137): it was killed, or it ran out of memory."


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def training(world: World) -> TrainingRecord:
    """The first training of the file."""
    received = world.receive(world.drop("g/training/a.csv", GOOD))
    training = world.versions.trainings.latest("g", received.work_id)
    assert training is not None
    return training


def fail(world: World, training: TrainingRecord) -> None:
    failure = TrainingFailure(
        "g", training.training_id, training.attempt, "JobStoppedError", REASON, NOW, "Train model", "arn"
    )
    assert world.versions.trainings.fail(failure)


def drop_again(world: World, name: str = "a.csv") -> str:
    """Drop the same bytes; return the reason in the record of the upload."""
    return str(world.receive(world.drop(f"g/training/{name}", GOOD)).reason)


def test_the_same_file_is_trained_again_after_a_failure_and_the_email_says_why(world, training):
    fail(world, training)
    assert drop_again(world) == "trained_again"
    assert list(world.executions.training) == [training.training_id, f"{training.training_id}-2"]
    subject, body = world.notifier.emails[-1]
    assert subject == "[g] a.csv: training again"
    for words in (REASON, "at the step Train model", "Attempt 2 was started"):
        assert words in body


def test_each_drop_after_a_failure_is_one_attempt(world, training):
    for attempt in (1, 2, 3):
        latest = world.versions.trainings.latest("g", training.training_id)
        assert latest.attempt == attempt
        fail(world, latest)
        upload = world.drop("g/training/a.csv", GOOD)
        world.receive(upload)
        world.receive(upload, owner="a repeated event", now=LATER)
    assert len(world.executions.training) == 4


def test_a_file_whose_training_still_runs_is_not_trained_twice(world, training):
    assert drop_again(world) == "same_content"
    fail(world, training)
    assert drop_again(world) == "trained_again"
    assert drop_again(world) == "same_content"
    assert len(world.executions.training) == 2


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_an_execution_that_died_without_a_word_has_failed_too(world, training, status):
    world.executions.statuses[training.training_id] = status
    assert drop_again(world) == "trained_again"
    failure = world.versions.trainings.failure_of(training)
    assert (failure.error, failure.execution_arn) == ("JobStoppedError", f"arn:{training.training_id}")
    assert failure.reason in world.notifier.emails[-1][1]


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE", "SUCCEEDED"])
def test_an_execution_that_goes_on_or_went_well_has_not_failed(world, training, status):
    world.executions.statuses[training.training_id] = status
    assert drop_again(world) == "same_content"


def test_an_execution_that_was_never_started_has_failed_after_a_while(world, training):
    world.executions.training.clear()
    assert drop_again(world) == "same_content"
    upload = world.drop("g/training/a.csv", GOOD)
    assert world.receive(upload, now=NOW + 2 * STARTING_TIME).reason == "trained_again"


@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_any_call_of_a_second_drop_still_starts_one_attempt(tmp_path: Path, before: bool):
    for call in range(1, 60):
        world = World(tmp_path / f"{before}-{call}")
        received = world.receive(world.drop("g/training/a.csv", GOOD))
        fail(world, world.versions.trainings.latest("g", received.work_id))
        upload = world.drop("g/training/a.csv", GOOD)
        countdown = [call]
        with suppress(Killed):
            world.receive(upload, world.ports(countdown, before=before))
        world.receive(upload, owner="the next run", now=LATER)
        assert list(world.executions.training) == [received.work_id, f"{received.work_id}-2"], call
        assert "[g] a.csv: training again" in world.notifier.said(), call
        if countdown[0] > 0:
            return
    raise AssertionError("the second drop makes more calls than that")
