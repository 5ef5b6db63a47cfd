"""The round over open trainings: those whose execution has ended without a word are failed trainings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.watch_trainings import app
from mlops.intake.failures.watch_trainings import TrainingWatch
from mlops.intake.trainings import STARTING_TIME, training_id_of
from mlops.models.errors import TrainingError
from mlops.models.experiment import RunStatus
from mlops.models.settings.group import GroupSettings
from tests.functions.approval_stage import GROUP
from tests.functions.training_stage import TRAINING, TrainingStage


@pytest.fixture
def trainings(stage) -> TrainingStage:
    return TrainingStage(stage)


def test_an_execution_that_died_silently_is_a_failed_training_a_run_and_an_email(trainings, repository):
    training = trainings.start_dying()
    event = json.loads((repository / "events/watch_trainings.json").read_text())
    assert trainings.handle(app, event)["n_failed"] == 1
    failure = trainings.trainings.failure_of(training)
    assert (failure.error, failure.attempt) == ("JobStoppedError", 1)
    (run,) = trainings.parts.run_store.runs(GROUP)
    assert (run.run_id, run.status, run.failure.message) == (TRAINING, RunStatus.FAILED, failure.reason)
    (mail,) = trainings.emails()
    assert mail["subject"] == f"{GROUP}: training failed"
    assert "Nothing is wrong with the file: drop it again" in mail["body"]
    assert trainings.link()
    assert trainings.handle(app, event) == {"n_running": 0, "n_ended": 0, "n_failed": 0, "faults": []}
    assert len(trainings.emails()) == 1


def test_a_training_that_runs_is_left_alone(trainings):
    training = trainings.start()
    assert trainings.handle(app, {})["n_running"] == 1
    assert trainings.trainings.failure_of(training) is None
    assert trainings.emails() == []


def test_a_training_that_has_become_a_version_is_the_concern_of_the_approvals(trainings):
    settings = GroupSettings()
    dataset = "5f2a" * 16
    trainings.start_dying(training_id_of(GROUP, dataset, settings))
    trainings.stage.register(dataset_version=dataset, settings=settings)
    assert trainings.handle(app, {})["n_ended"] == 1
    assert trainings.emails() == []


def test_an_execution_that_was_never_started_has_failed_after_a_while(trainings):
    training = trainings.start(has_execution=False)
    watch = trainings.parts.training_watch
    assert watch.run(training.started_at + STARTING_TIME / 2).n_running == 1
    assert watch.run(training.started_at + STARTING_TIME + timedelta(seconds=1)).n_failed == 1


def test_a_failure_that_a_new_file_has_found_is_recorded_as_a_run_without_another_email(trainings):
    training = trainings.start_dying()
    trainings.fail(training)
    trainings.start(attempt=2)
    assert trainings.handle(app, {}) == {"n_running": 1, "n_ended": 0, "n_failed": 1, "faults": []}
    assert [run.failure.message for run in trainings.parts.run_store.runs(GROUP)] == ["It was killed."]
    assert trainings.emails() == []


class Refusing:
    """Models that cannot be read for one group."""

    def __init__(self, models) -> None:
        self._models = models

    def list_models(self, group: str):
        if group == "absent":
            raise TrainingError("The group cannot be read.")
        return self._models.list_models(group)


def test_a_fault_with_one_training_does_not_stop_the_others(trainings):
    training = trainings.start_dying()
    trainings.trainings.start(replace(training, group="absent"))
    parts = trainings.parts.training_watch
    watch = TrainingWatch(parts.trainings, Refusing(parts.models), parts.executions, parts.recorder)
    summary = watch.run(trainings.parts.now())
    assert (summary.n_failed, len(summary.faults)) == (1, 1)
    with pytest.raises(TrainingError, match="absent"):
        summary.raise_faults()
