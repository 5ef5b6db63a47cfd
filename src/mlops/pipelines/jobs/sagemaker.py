"""The trials of a tuning job, from what Amazon SageMaker says about its training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.infrastructure.aws.sagemaker import SageMakerTuningJobs
from mlops.models.errors import TrainingError
from mlops.pipelines.jobs.failure import TRIAL_TIME_LIMIT, plain_reason
from mlops.pipelines.jobs.trial_jobs import TrialJob


class SageMakerTrialJobs:
    """`TrialJobs` over SageMaker."""

    def __init__(self, tuning_jobs: SageMakerTuningJobs | None = None) -> None:
        self._tuning_jobs = tuning_jobs or SageMakerTuningJobs()

    def of(self, tuning_job_name: str) -> list[TrialJob]:
        """Return every job that the tuning job has started, in the order of their names."""
        jobs = self._tuning_jobs.training_jobs(tuning_job_name)
        if jobs is None:
            raise TrainingError(f"There is no tuning job {tuning_job_name}.")
        trials = [_trial(summary, job) for summary, job in jobs]
        return sorted(trials, key=lambda trial: trial.name)


def _trial(summary: Mapping[str, Any], job: Mapping[str, Any]) -> TrialJob:
    status = job["TrainingJobStatus"]
    objective = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    has_score = "Value" in objective and status == "Completed"
    is_late = job.get("SecondaryStatus") == "MaxRuntimeExceeded"
    reason = TRIAL_TIME_LIMIT if is_late else plain_reason(job.get("FailureReason") or "")
    return TrialJob(
        name=summary["TrainingJobName"],
        status=status,
        hyperparameters=dict(summary["TunedHyperParameters"]),
        score=float(objective["Value"]) if has_score else None,
        reason="" if has_score else reason,
        billable_seconds=int(job.get("BillableTimeInSeconds") or 0),
    )
