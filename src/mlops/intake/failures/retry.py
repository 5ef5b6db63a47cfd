"""A failed training is started once more, by command or by the link in the email about its failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.intake.ports import Executions
from mlops.intake.trainings import version_trained_on
from mlops.models.errors import TrainingError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.registered import RegisteredModels


@dataclass(frozen=True, slots=True)
class RetryService:
    """Starts failed trainings again, with the input of the attempt that failed.

    `executions_beside` starts them in the state machine of an execution.
    """

    trainings: TrainingRecords
    models: RegisteredModels
    executions_beside: Callable[[str], Executions]

    def find(self, group: str, training_id: str = "") -> TrainingFailure:
        """Return the last failure of a group, or that of the training whose id begins like this.

        Raises
        ------
        TrainingError
            If no training, or more than one, has failed and was not started again.
        """
        failures = [f for f in self.trainings.failed(group) if f.training_id.startswith(training_id)]
        if training_id and len({failure.training_id for failure in failures}) > 1:
            raise TrainingError(f"More than one failed training of {group} begins with {training_id}.")
        if not failures:
            which = f"training {training_id}" if training_id else "training"
            raise TrainingError(
                f"{group} has no failed {which} that could be started again; see `mlops runs list {group}`. "
                "A training that still runs is started again after it has failed."
            )
        return failures[-1]

    def retry(self, failure: TrainingFailure, *, by: str, now: datetime) -> TrainingRecord:
        """Start the attempt after a failed one; a repeated call returns the attempt that was started first.

        The execution is started before it is recorded: its name permits one start only, so a crash between
        the two leaves nothing that a repeated call does not complete.

        Raises
        ------
        TrainingError
            If the training has become a version, or Step Functions has deleted its input.
        """
        latest = self.trainings.latest(failure.group, failure.training_id)
        if latest is None or latest.attempt < failure.attempt:
            raise TrainingError(f"{failure.group} has no training {failure.training_id}.")
        if latest.attempt > failure.attempt:
            return latest
        version = version_trained_on(latest, self.models.list_models(failure.group))
        if version is not None:
            raise TrainingError(f"This training has become {failure.group} {version}; nothing was started.")
        executions = self.executions_beside(failure.execution_arn)
        failed = executions.find_training(latest.execution_name) if failure.execution_arn else None
        if failed is None:
            raise TrainingError(
                f"The input of the training {failure.training_id} is not kept any more; drop its file again."
            )
        following = replace(latest, attempt=latest.attempt + 1, started_at=now, started_by=by)
        executions.start_training(following.execution_name, failed.document)
        return self.trainings.start(following)
