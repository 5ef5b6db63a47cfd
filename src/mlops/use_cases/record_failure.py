"""Explanation of a failed execution, and the record of its training job as a failed run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlops.experiment.store import RunStore
from mlops.experiment.training_runs import record_failed_training
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import TRAINING_COST_USD
from mlops.infrastructure.notifications import Notifier
from mlops.models.experiment import Run, RunDataset, RunFailure
from mlops.models.registry import TrainingJob
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.jobs.failure import Explanation, Failure, explain_failure
from mlops.pipelines.jobs.training_cost import cost_usd
from mlops.pipelines.jobs.training_job import describe_job
from mlops.pipelines.jobs.trial_jobs import TrialJob, TrialJobs, bill_of, commonest_reason


@dataclass(frozen=True, slots=True)
class FailedTraining:
    """An execution that failed; without a prepared job no training was started.

    `trials` are the jobs of the tuning job that failed, empty for any other failure.
    """

    group: str
    failure: Failure
    prepared: Mapping[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None
    settings: GroupSettings | None = None
    trials: tuple[TrialJob, ...] = ()

    @classmethod
    def from_event(cls, event: Mapping[str, Any], trial_jobs: TrialJobs) -> FailedTraining:
        """Read the input of the step "Explain failure"; for a failed tuning job its trials are requested."""
        failed, settings = event["failure"], event.get("settings")
        failure = Failure(failed["step"], failed["error"], failed["cause"], event.get("job") or {})
        return cls(
            group=event["group"],
            failure=failure,
            prepared=event.get("prepared") or {},
            dataset_id=event.get("dataset_id"),
            settings=GroupSettings.from_dict(settings) if settings else None,
            trials=tuple(trial_jobs.of(failure.tuning_job_name)) if failure.tuning_job_name else (),
        )

    def explain(self) -> Explanation:
        """Return what happened and what to do."""
        return explain_failure(self.failure, trial_reason=commonest_reason(self.trials))

    @property
    def job(self) -> TrainingJob | None:
        """The job that failed; a job that SageMaker did not start has its planned name."""
        if self.failure.ended_job:
            return describe_job(self.failure.ended_job, self.prepared)
        if "job_name" not in self.prepared:
            return None
        bill = bill_of(self.trials) if self.trials else {}
        return TrainingJob(
            self.prepared["job_name"],
            "",
            actual_cost_usd=cost_usd(bill.get("billable_seconds"), self.prepared.get("usd_per_hour")),
            n_trial_jobs=bill.get("n_jobs"),
            trials_billable_seconds=bill.get("billable_seconds"),
        )


_TRAINING_STEPS = ("Tune hyperparameters", "Collect trials", "Train model", "Register model")


def record_failure(
    training: FailedTraining, message: Explanation, runs: RunStore, notifier: Notifier, *, now: datetime
) -> Run | None:
    """Record a failed training as a run, once per job, with its reason; None when no job has failed.

    The failed job has a cost too, so that is published.
    """
    job = training.job
    if job is None or training.failure.step not in _TRAINING_STEPS:
        return None
    run = record_failed_training(
        runs,
        group=training.group,
        job=job,
        failure=RunFailure(message.error, message.reason),
        at=now,
        settings=training.settings,
        dataset=RunDataset(training.dataset_id, training.dataset_id) if training.dataset_id else None,
        code_digest=training.prepared.get("source_digest"),
    )
    if job.actual_cost_usd is not None:
        notifier.publish_metrics(
            [Metric(TRAINING_COST_USD, job.actual_cost_usd, "None")], group=training.group
        )
    return run
