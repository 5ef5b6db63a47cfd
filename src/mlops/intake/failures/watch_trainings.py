"""The scheduled round over open trainings: executions that have ended without reporting why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.infrastructure.aws.clients import aws_errors, error_code
from mlops.intake.ports import Executions
from mlops.intake.trainings import find_silent_failure, version_trained_on
from mlops.models.errors import MlopsError, TrainingError
from mlops.models.intake.trainings import TrainingRecord
from mlops.models.record import Record
from mlops.models.registered import RegisteredModels
from mlops.use_cases.record_failure import FailureRecorder

LOOK_BACK_DAYS = 14  # longer than a search, a training and the waits between their attempts


@dataclass(frozen=True, slots=True)
class TrainingsSummary(Record):
    """What one round found; `faults` names the trainings that could not be checked, and why."""

    n_running: int = 0
    n_ended: int = 0
    n_failed: int = 0
    faults: tuple[str, ...] = ()

    def raise_faults(self) -> None:
        """Raise TrainingError when there are faults."""
        if self.faults:
            raise TrainingError(f"Some trainings could not be checked: {'; '.join(self.faults)}.")


@dataclass(frozen=True, slots=True)
class TrainingWatch:
    """Asks Step Functions about every training that is open, and closes those that have ended."""

    trainings: TrainingRecords
    models: RegisteredModels
    executions: Executions
    recorder: FailureRecorder

    def run(self, now: datetime) -> TrainingsSummary:
        """Check all open trainings; a fault with one does not stop the others."""
        summary = TrainingsSummary()
        for training in self.trainings.open(now, days=LOOK_BACK_DAYS):
            try:
                summary = self._check(training, summary, now)
            except aws_errors(MlopsError) as fault:
                sentence = f"{training.group} {training.training_id}: {error_code(fault)}"
                summary = replace(summary, faults=(*summary.faults, sentence))
        return summary

    def _check(self, training: TrainingRecord, summary: TrainingsSummary, now: datetime) -> TrainingsSummary:
        if version_trained_on(training, self.models.list_models(training.group)):
            self.trainings.close(training)
            return replace(summary, n_ended=summary.n_ended + 1)
        failure = self.trainings.failure_of(training) or find_silent_failure(training, self.executions, now)
        if failure is None:
            return replace(summary, n_running=summary.n_running + 1)
        self.recorder.record_silent(training, failure)
        return replace(summary, n_failed=summary.n_failed + 1)
