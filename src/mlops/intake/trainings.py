"""Trainings: their identity, the version that one made, whether one failed, and the limit of a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.intake.ports import Executions, IntakePorts
from mlops.intake.recovery import LOOK_BACK
from mlops.models.dataset import Finding
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.pages.number_format import counted

# beyond the trainings of a day a file waits, and the daily sweep decides about it before it looks no more
TRAINING_LIMIT = "training_limit"
LONGEST_WAIT = LOOK_BACK - timedelta(days=2)
STARTING_TIME = timedelta(minutes=15)  # an attempt is recorded before its execution is started
_REASONS: Mapping[str, str] = {
    "ABORTED": "The execution was stopped before it was complete.",
    "TIMED_OUT": "The execution reached its time limit.",
    "FAILED": "The execution failed, and did not report why.",
    "DELETED": "The execution does not exist: it was never started, or is long over.",
}


def training_id_of(group: str, dataset_id: str, settings: GroupSettings) -> str:
    """Return the identity of a training: 32 hex digits over group, bytes and settings."""
    canonical = json.dumps(settings.to_dict(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256("\n".join((group, dataset_id, canonical)).encode()).hexdigest()[:32]


def version_trained_on(training: TrainingRecord, models: Sequence[ModelMetadata]) -> str | None:
    """Return the version that a training has produced; None while it is running."""
    versions = [
        model.version
        for model in models
        if model.dataset_version == training.dataset_id
        and training_id_of(training.group, training.dataset_id, model.settings) == training.training_id
    ]
    return versions[-1] if versions else None


def training_of(model: ModelMetadata, trainings: TrainingRecords) -> TrainingRecord | None:
    """Return the last attempt of the training that a version comes from; None when none is recorded."""
    training_id = training_id_of(model.model_group, model.dataset_version, model.settings)
    return trainings.latest(model.model_group, training_id)


def failure_of(training: TrainingRecord, ports: IntakePorts, now: datetime) -> TrainingFailure | None:
    """Return why a training failed; an execution that has ended without a version has failed too."""
    recorded = ports.versions.trainings.failure_of(training)
    if recorded is not None or version_trained_on(training, ports.models.list_models(training.group)):
        return recorded
    failure = find_silent_failure(training, ports.executions, now)
    if failure is not None:
        ports.versions.trainings.fail(failure)
    return failure


def find_silent_failure(
    training: TrainingRecord, executions: Executions, now: datetime
) -> TrainingFailure | None:
    """Return the failure of an execution that has ended without success; None for any other."""
    execution = executions.find_training(training.execution_name)
    status = execution.status if execution else "DELETED"
    is_starting = status == "DELETED" and now - training.started_at < STARTING_TIME
    if status not in _REASONS or is_starting:
        return None
    return TrainingFailure(
        training.group,
        training.training_id,
        training.attempt,
        "JobStoppedError",
        _REASONS[status],
        now,
        execution_arn=execution.arn if execution else "",
    )


def describe_limit(limit: int) -> str:
    """Return the sentence about the trainings of a day."""
    return (
        f"The policy of the group allows {counted(limit, 'training')} a day (UTC), and today has had as many."
    )


def command_to_raise(group: str) -> str:
    """Return the command of an administrator that allows more trainings."""
    return f"mlops policy set {group} --max-trainings-per-day N --reason TEXT"


def waited_too_long(limit: int) -> Finding:
    """Return the finding about a file that waited until the daily sweep looks no more."""
    message = f"The file waited for {LONGEST_WAIT.days} days. {describe_limit(limit)}"
    advice = "Drop it again, or ask an administrator of the policy to raise --max-trainings-per-day."
    return Finding(TRAINING_LIMIT, "reject", message, advice=advice)
