"""An execution that failed, and the training job behind it as a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlops.experiment.store import RunStore
from mlops.experiment.training_runs import record_failed_training
from mlops.infrastructure.announcing import Announcer
from mlops.infrastructure.cloudwatch import Metric
from mlops.infrastructure.metric_names import TRAINING_COST_USD
from mlops.models.experiment import Run, RunDataset, RunFailure
from mlops.models.group_settings import GroupSettings
from mlops.models.registry import TrainingJob
from mlops.pipelines.failure import Explanation, Failure
from mlops.pipelines.training_job import describe_job


@dataclass(frozen=True, slots=True)
class FailedTraining:
    """What is known of an execution that failed; without a prepared job nothing was trained."""

    group: str
    failure: Failure
    prepared: Mapping[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None
    settings: GroupSettings | None = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> FailedTraining:
        """Read the input of the step "Explain failure"."""
        failed, settings = event["failure"], event.get("settings")
        return cls(
            group=event["group"],
            failure=Failure(failed["step"], failed["error"], failed["cause"], event.get("job") or {}),
            prepared=event.get("prepared") or {},
            dataset_id=event.get("dataset_id"),
            settings=GroupSettings.from_dict(settings) if settings else None,
        )

    @property
    def job(self) -> TrainingJob | None:
        """The job that failed; one that SageMaker refused has the name that it was to have."""
        if self.failure.ended_job:
            return describe_job(self.failure.ended_job, self.prepared)
        return TrainingJob(self.prepared["job_name"], "") if "job_name" in self.prepared else None


_OF_TRAINING = ("Train model", "Register model")


def record_failure(
    training: FailedTraining, told: Explanation, runs: RunStore, announcer: Announcer, *, now: datetime
) -> Run | None:
    """Keep a training that failed as a run, once per job, with its reason; None when no job was at fault.

    The machine was paid for all the same, so the cost is published too.
    """
    job = training.job
    if job is None or training.failure.step not in _OF_TRAINING:
        return None
    run = record_failed_training(
        runs,
        group=training.group,
        job=job,
        failure=RunFailure(told.error, told.reason),
        at=now,
        settings=training.settings,
        dataset=RunDataset(training.dataset_id, training.dataset_id) if training.dataset_id else None,
        code_digest=training.prepared.get("source_digest"),
    )
    if job.actual_cost_usd is not None:
        announcer.metrics([Metric(TRAINING_COST_USD, job.actual_cost_usd, "None")], group=training.group)
    return run
