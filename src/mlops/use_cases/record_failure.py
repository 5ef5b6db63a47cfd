"""Failed trainings: recorded as runs, freed to be started again, and reported by email."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.experiment.store import RunStore
from mlops.experiment.training_runs import record_failed_training
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.stepfunctions import ItemFailure
from mlops.infrastructure.metric_names import TRAINING_COST_USD
from mlops.infrastructure.notifications import Notifier
from mlops.links.page_links import PageLinks
from mlops.models.errors import StepError
from mlops.models.experiment import RunDataset, RunFailure
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.registry import TrainingJob
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.jobs.failure import OF_AN_ITEM, Explanation, Failure, explain_failure
from mlops.pipelines.jobs.prices import cost_usd
from mlops.pipelines.jobs.training_job import describe_job
from mlops.pipelines.jobs.trial_jobs import TrialJob, TrialJobs, bill_of, commonest_reason

# The steps whose failure leaves no version behind.
_TRAINING_STEPS = (
    "Prepare training",
    "Tune hyperparameters",
    "Collect trials",
    "Train model",
    "Register model",
)


@dataclass(frozen=True, slots=True)
class FailedTraining:
    """An execution that failed; without a prepared job no training was started.

    `trials` are the jobs of the tuning job that failed, empty for any other failure.
    """

    group: str
    failure: Failure
    prepared: Mapping[str, Any] = field(default_factory=dict)
    training_id: str = ""
    dataset_id: str | None = None
    settings: GroupSettings | None = None
    execution_arn: str = ""
    trials: tuple[TrialJob, ...] = ()

    @classmethod
    def from_event(
        cls,
        event: Mapping[str, Any],
        trial_jobs: TrialJobs,
        failed_item: Callable[[str], ItemFailure | None],
    ) -> FailedTraining:
        """Read the input of the step "Explain failure".

        Of a failed tuning job the trials are requested, of an execution with a failed item the cause.

        Raises
        ------
        StepError
            If Step Functions does not list the failed item yet.
        """
        failed, settings = event["failure"], event.get("settings")
        failure = Failure(
            failed["step"],
            failed["error"],
            failed.get("cause") or "",  # a time-out may have none
            event.get("job") or {},
            event["group"],
            event.get("version") or "",
            event.get("n_lost_jobs", 0),
        )
        if failure.error == OF_AN_ITEM and event.get("execution_arn"):
            item = failed_item(event["execution_arn"])
            if item is None:
                raise StepError("The failed item is not listed yet.")
            failure = replace(failure, error=item.error, cause=item.cause)
        return cls(
            group=event["group"],
            failure=failure,
            prepared=event.get("prepared") or {},
            training_id=event.get("training_id") or "",
            dataset_id=event.get("dataset_id") or None,
            settings=GroupSettings.from_dict(settings) if settings else None,
            execution_arn=event.get("execution_arn") or "",
            trials=tuple(trial_jobs.of(failure.tuning_job_name)) if failure.tuning_job_name else (),
        )

    def explain(self) -> Explanation:
        """Return what happened and what to do."""
        return explain_failure(self.failure, trial_reason=commonest_reason(self.trials))

    @property
    def is_training(self) -> bool:
        """Whether the training itself failed: it made no version."""
        return self.failure.step in _TRAINING_STEPS

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


@dataclass(frozen=True, slots=True)
class FailureRecorder:
    """Records failures of trainings, and reports them with a link to the page that starts another attempt."""

    runs: RunStore
    trainings: TrainingRecords
    notifier: Notifier
    links: PageLinks

    def record(self, training: FailedTraining, message: Explanation, *, now: datetime) -> Explanation:
        """Record a failed training as a run and as failed, once, and email it; return the explanation.

        The failed job has a cost too, so that is published. Of a job that is run again at once only the run
        is recorded; a failure after the registration is not one of the training.
        """
        if not training.is_training:
            return message
        self._record_run(training, message, now)
        if message.run_again:
            return message
        attempt = self._attempt_of(training)
        failure = TrainingFailure(
            training.group,
            training.training_id,
            attempt.attempt if attempt else 0,
            message.error,
            message.reason,
            now,
            training.failure.step,
            training.execution_arn,
        )
        if attempt is not None:
            self.trainings.fail(failure)
            self.trainings.close(attempt)
        if not training.execution_arn:  # an execution of release 0.2, which sends the email itself
            return message
        self._send(failure, message.advice, can_retry=attempt is not None)
        return replace(message, is_mailed=True)

    def record_silent(self, attempt: TrainingRecord, failure: TrainingFailure) -> None:
        """Record the failure of an execution that has ended without reporting it, and email it.

        The email is sent before the failure is recorded: it may come twice, but a crash does not lose it.
        """
        if self.trainings.failure_of(attempt) is None:
            advice = f"Nothing is wrong with the file: drop it again, or run `mlops retry {failure.group}`."
            self._send(failure, advice, can_retry=True)
            self.trainings.fail(failure)
        self._record_attempt(attempt, self.trainings.failure_of(attempt) or failure)
        self.trainings.close(attempt)

    def _attempt_of(self, training: FailedTraining) -> TrainingRecord | None:
        """Return the attempt of this execution; None for an execution that a person started by hand."""
        latest = self.trainings.latest(training.group, training.training_id) if training.training_id else None
        is_its_own = latest and latest.execution_name == training.execution_arn.rpartition(":")[2]
        return latest if is_its_own else None

    def _record_run(self, training: FailedTraining, message: Explanation, now: datetime) -> None:
        job = training.job
        name = training.execution_arn.rpartition(":")[2] or training.training_id
        if job is None and not name:
            return
        record_failed_training(
            self.runs,
            group=training.group,
            job=job or TrainingJob(name, ""),
            failure=RunFailure(message.error, message.reason),
            at=now,
            settings=training.settings,
            dataset=RunDataset(training.dataset_id, training.dataset_id) if training.dataset_id else None,
            code_digest=training.prepared.get("source_digest"),
        )
        if job is not None and job.actual_cost_usd is not None:
            metric = Metric(TRAINING_COST_USD, job.actual_cost_usd, "None")
            self.notifier.publish_metrics([metric], group=training.group)

    def _record_attempt(self, attempt: TrainingRecord, failure: TrainingFailure) -> None:
        record_failed_training(
            self.runs,
            group=attempt.group,
            job=TrainingJob(attempt.execution_name, "", started_at=attempt.started_at),
            failure=RunFailure(failure.error, failure.reason),
            at=failure.failed_at,
            settings=GroupSettings.from_dict(attempt.settings),
            dataset=RunDataset(attempt.dataset_id, attempt.dataset_id),
        )

    def _send(self, failure: TrainingFailure, advice: str, *, can_retry: bool) -> None:
        link = self.links.make(failure.group, failure.attempt_id, failure.failed_at) if can_retry else ""
        subject, body = compose_failure(failure, advice, link)
        self.notifier.send_email(subject, body, group=failure.group)


def compose_failure(failure: TrainingFailure, advice: str, link: str = "") -> tuple[str, str]:
    """Return subject and body of the email about a failed training; `link` leads to the retry page."""
    step = f" at {failure.step}" if failure.step else ""
    lines = [
        *([f"Step: {failure.step}"] if failure.step else []),
        f"Error: {failure.error}",
        f"Reason: {failure.reason}",
        "",
        f"What to do: {advice}",
    ]
    if link:
        lines += ["", "To start the same training again, open this page and press its button:", link]
    lines += [
        "",
        "The model in service stays as it is.",
        "",
        f"Execution: {failure.execution_arn or failure.training_id}",
    ]
    return f"{failure.group}: training failed{step}"[:100], "\n".join(lines) + "\n"
