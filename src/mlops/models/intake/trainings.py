"""Records about a training: that it was started for a dataset, and that an attempt failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class TrainingRecord(Record):
    """That a training was started for a dataset with certain settings.

    `upload_id` is the upload that it was started for. A failed training may be started again: `attempt`
    counts from 1, and `started_by` names who did it without a new upload.
    """

    group: str
    training_id: str
    dataset_id: str
    upload_id: str
    settings: Mapping[str, Any]
    started_at: datetime
    attempt: int = 1
    started_by: str = ""

    @property
    def execution_name(self) -> str:
        """The name of the execution: at most one execution ever has it."""
        return self.training_id if self.attempt == 1 else f"{self.training_id}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class TrainingFailure(Record):
    """That an attempt of a training failed; `error` is the name of one of our errors.

    `execution_arn` is empty when there is no execution.
    """

    group: str
    training_id: str
    attempt: int
    error: str
    reason: str
    failed_at: datetime
    step: str = ""
    execution_arn: str = ""

    @property
    def attempt_id(self) -> str:
        """The id of the attempt among those of all trainings of the group."""
        return f"{self.training_id}.{self.attempt}"


def split_attempt_id(attempt_id: str) -> tuple[str, int]:
    """Return the training and the attempt that an `attempt_id` consists of."""
    training_id, _, attempt = attempt_id.rpartition(".")
    return training_id, int(attempt)
