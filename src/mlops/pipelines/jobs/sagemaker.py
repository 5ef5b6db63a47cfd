"""The training jobs of a tuning job, in Amazon SageMaker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code
from mlops.models.errors import TrainingError
from mlops.pipelines.jobs.failure import TRIAL_TIME_LIMIT, plain_reason
from mlops.pipelines.jobs.trial_jobs import TrialJob

_MISSING = ("ResourceNotFound", "ResourceNotFoundException")


class SageMakerTrialJobs:
    """`TrialJobs` over SageMaker; each job is described, because a listing does not tell what is billed."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def of(self, tuning_job_name: str) -> list[TrialJob]:
        """Return every job that the tuning job has started, in the order of their names."""
        try:
            trials = [self._trial(summary) for summary in self._summaries(tuning_job_name)]
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            raise TrainingError(f"There is no tuning job {tuning_job_name}.") from error
        return sorted(trials, key=lambda trial: trial.name)

    def _summaries(self, tuning_job_name: str) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=tuning_job_name, MaxResults=100, **more
            )
            yield from page["TrainingJobSummaries"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _trial(self, summary: Mapping[str, Any]) -> TrialJob:
        job = self._sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
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
