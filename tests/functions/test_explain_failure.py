"""Explaining why a step failed: the kind, the reason and the advice; a failed job becomes a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.client import BaseClient
from botocore.stub import Stubber

from functions.explain_failure import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.stepfunctions import ItemFailure, failed_item
from mlops.infrastructure.notifications import AwsNotifier
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import SigningKeys
from mlops.models.errors import StepError
from mlops.models.experiment import RunStatus
from mlops.models.intake.trainings import TrainingRecord
from mlops.pipelines.jobs.trial_jobs import TrialJob
from mlops.use_cases.record_failure import FailedTraining
from tests.functions.approval_stage import CONTEXT, GROUP


class EmailsKept:
    """Keeps the emails; metrics go to the fake of CloudWatch."""

    def __init__(self) -> None:
        self.emails: list[tuple[str, str]] = []
        self.publish_metrics = AwsNotifier("no topic", "default", "MLOps/test").publish_metrics

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        self.emails.append((subject, body))


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifacts",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "MLOps/test",
        "NOTIFICATION_TOPIC_ARN": "no email is sent",
        "REGISTRY_TABLE_NAME": registry_table,
        "RETRY_BASE_URL": "https://api.example.com/retries",
    }
    dependencies = Dependencies("explain_failure", variables)
    dependencies.notifier = EmailsKept()
    dependencies.link_signer = LinkSigner(SigningKeys((b"k" * 64,)))
    return dependencies


@pytest.fixture
def explain(dependencies: Dependencies) -> Callable[[dict], dict]:
    return lambda event: app.handler(event, CONTEXT, dependencies=dependencies)


@pytest.fixture
def event(repository: Path) -> dict:
    return json.loads((repository / "events" / "explain_failure.json").read_text())


def test_a_failed_job_is_explained_and_recorded_as_a_run_once(explain, dependencies, event: dict):
    explanation = explain(event)
    assert explain(event) == explanation
    assert explanation["error"] == "TrainingError"
    assert (
        explanation["reason"] == 'The target "off_treatment" has one value in 2,000 rows; a model needs two.'
    )
    assert "drop the file again" in explanation["advice"]
    (run,) = dependencies.run_store.runs(GROUP)
    assert (run.run_id, run.status) == ("medication-adherence-3f1c9a52b7d0-0-0", RunStatus.FAILED)
    assert (run.failure.error_type, run.failure.message) == ("TrainingError", explanation["reason"])
    assert (run.duration_seconds, run.code_digest) == (60, "ab" * 32)
    names = {metric["MetricName"] for metric in client("cloudwatch").list_metrics()["Metrics"]}
    assert "TrainingCostUsd" in names


def test_a_job_that_never_began_is_a_run_under_the_name_it_was_to_have(explain, dependencies, event: dict):
    event["failure"] |= {"error": "SageMaker.ResourceLimitExceededException", "cause": "The quota is 0."}
    assert explain(event)["error"] == "CapacityError"
    (run,) = dependencies.run_store.runs(GROUP)
    assert run.run_id == "medication-adherence-3f1c9a52b7d0"


def test_a_failure_without_a_job_is_not_a_run(explain, dependencies, event: dict):
    event["failure"] = {"step": "Request approval", "error": "NoApproverError", "cause": "{}"}
    assert explain(event)["error"] == "NoApproverError"
    assert list(dependencies.run_store.runs(GROUP)) == []


def test_a_model_that_could_not_be_registered_is_a_failed_run_of_its_job(explain, dependencies, event: dict):
    job = json.loads(event["failure"]["cause"]) | {"TrainingJobStatus": "Completed"}
    cause = json.dumps({"errorType": "ArtifactError", "errorMessage": "It is not a readable tar.gz."})
    event |= {"job": job, "failure": {"step": "Register model", "error": "ArtifactError", "cause": cause}}
    assert explain(event)["reason"] == "It is not a readable tar.gz."
    (run,) = dependencies.run_store.runs(GROUP)
    assert (run.run_id, run.failure.error_type) == (job["TrainingJobName"], "ArtifactError")


def test_a_scoring_that_failed_is_explained_without_a_run(explain, event: dict):
    cause = json.dumps({"ProcessingJobStatus": "Failed", "ExitMessage": "The column age is missing."})
    failure = {"step": "Run inference in a job", "error": "States.TaskFailed", "cause": cause}
    explanation = explain({"group": GROUP, "failure": failure})
    assert (explanation["error"], explanation["reason"]) == ("ScoringError", "The column age is missing.")


def a_failed_tuning(event: dict) -> dict:
    cause = {"HyperParameterTuningJobName": "tuned-1-0-0", "HyperParameterTuningJobStatus": "Failed"}
    cause["FailureReason"] = "No training job succeeded after 5 attempts."
    failure = {"step": "Tune hyperparameters", "error": "States.TaskFailed", "cause": json.dumps(cause)}
    return event | {"failure": failure}


def test_a_failed_tuning_job_is_explained_by_its_trials_and_has_a_cost(explain, dependencies, event: dict):
    trials = [TrialJob(f"t{n}", "Failed", {"C": str(n)}, None, "All rows are alike.", 720) for n in range(5)]
    training = FailedTraining.from_event(a_failed_tuning(event), FixedTrials(trials), no_item)
    explained = training.explain()
    assert (explained.error, explained.reason) == ("TrainingError", "All rows are alike.")
    dependencies.failure_recorder.record(training, explained, now=datetime.now(UTC))
    (run,) = dependencies.run_store.runs(GROUP)
    assert (run.run_id, run.failure.message) == ("medication-adherence-3f1c9a52b7d0", "All rows are alike.")
    assert training.job.trials_billable_seconds == 3600
    assert training.job.actual_cost_usd == pytest.approx(0.115)
    names = {metric["MetricName"] for metric in client("cloudwatch").list_metrics()["Metrics"]}
    assert "TrainingCostUsd" in names


def test_only_a_tuning_job_has_its_trials_looked_up(event: dict):
    assert FailedTraining.from_event(event, FixedTrials(None), no_item).trials == ()


def no_item(execution_arn: str) -> ItemFailure | None:
    raise AssertionError("Only an execution with a failed item has its items looked up.")


MAP_RUN = "arn:aws:states:us-east-1:123456789012:mapRun:RunInference/ScoreRanges"
ITEM = "arn:aws:states:us-east-1:123456789012:execution:RunInference/ScoreRanges:2"


def step_functions(*, failed: list[str], error: dict[str, str]) -> BaseClient:
    """Step Functions with two Map Runs of an execution, the newer of which has these failed items."""
    states = boto3.client("stepfunctions", region_name="us-east-1")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    runs = [
        {
            "executionArn": "e",
            "mapRunArn": f"{MAP_RUN}:{n}",
            "stateMachineArn": "m",
            "startDate": at.replace(day=n),
        }
        for n in (2, 1)
    ]
    execution = {"stateMachineArn": "m", "name": "2", "status": "FAILED", "startDate": at}
    stubber = Stubber(states)
    stubber.add_response("list_map_runs", {"mapRuns": runs}, {"executionArn": "e"})
    stubber.add_response(
        "list_executions",
        {"executions": [{"executionArn": arn, **execution} for arn in failed]},
        {"mapRunArn": f"{MAP_RUN}:2", "statusFilter": "FAILED", "maxResults": 1},
    )
    stubber.add_response(
        "describe_execution", {"executionArn": ITEM, **execution, **error}, {"executionArn": ITEM}
    )
    stubber.activate()
    return states


OTHER_BYTES = json.dumps({"errorType": "ArtifactError", "errorMessage": "Other bytes."})


@pytest.mark.parametrize(
    ("error", "cause", "reason", "kind"),
    [
        ("ArtifactError", OTHER_BYTES, "Other bytes.", "ArtifactError"),
        ("Lambda.TooManyRequestsException", "Rate Exceeded.", "Rate Exceeded.", "ThrottledError"),
        ("States.Timeout", "", "The step reached its time limit.", "StepError"),
    ],
)
@pytest.mark.parametrize("step", ["Score ranges", "Survey parts"])
def test_a_failed_range_or_part_keeps_its_cause(dependencies, step, error, cause, reason, kind):
    states = step_functions(failed=[ITEM], error={"error": error, "cause": cause})
    dependencies.failed_item = lambda arn: failed_item(arn, stepfunctions=states)
    failure = {"step": step, "error": "States.ExceedToleratedFailureThreshold", "cause": "One item failed."}
    explanation = app.handler(
        {"group": GROUP, "failure": failure, "execution_arn": "e"}, CONTEXT, dependencies=dependencies
    )
    assert (explanation["error"], explanation["reason"]) == (kind, reason)


def test_an_item_that_is_not_listed_yet_is_looked_up_again():
    states = step_functions(failed=[], error={})
    failure = {"step": "Score ranges", "error": "States.ExceedToleratedFailureThreshold", "cause": ""}
    with pytest.raises(StepError, match="not listed yet"):
        FailedTraining.from_event(
            {"group": GROUP, "failure": failure, "execution_arn": "e"},
            FixedTrials(None),
            lambda arn: failed_item(arn, stepfunctions=states),
        )


class FixedTrials:
    """`TrialJobs` with fixed trials; None when they must not be requested."""

    def __init__(self, trials: list[TrialJob] | None) -> None:
        self._trials = trials

    def of(self, tuning_job_name: str) -> list[TrialJob]:
        assert self._trials is not None, f"{tuning_job_name} was looked up"
        return self._trials


def an_attempt(attempt: int = 1) -> TrainingRecord:
    return TrainingRecord(GROUP, "t" * 32, "5f2a" * 16, "upload", {}, datetime.now(UTC), attempt)


def of_attempt(event: dict, training: TrainingRecord, **failure: str) -> dict:
    arn = f"arn:aws:states:us-east-1:123456789012:execution:TrainModel:{training.execution_name}"
    more = {"training_id": training.training_id, "execution_arn": arn}
    return event | more | {"failure": event["failure"] | failure}


def test_a_failed_training_frees_its_dataset_and_is_emailed_with_a_link(explain, dependencies, event: dict):
    trainings = dependencies.versions.trainings
    trainings.start(an_attempt())
    explanation = explain(of_attempt(event, an_attempt()))
    assert explanation["is_mailed"] is True
    failure = trainings.failure_of(an_attempt())
    assert (failure.error, failure.reason, failure.step) == (
        "TrainingError",
        explanation["reason"],
        "Train model",
    )
    assert list(trainings.open(datetime.now(UTC), days=1)) == []
    (mail,) = dependencies.notifier.emails
    assert mail[0] == f"{GROUP}: training failed at Train model"
    assert "https://api.example.com/retries/" in mail[1]
    assert explanation["advice"] in mail[1]
    assert "https://" not in json.dumps(explanation), "the link must not be part of the execution's history"


def test_a_failure_before_any_job_is_a_run_of_its_execution(explain, dependencies, event: dict):
    dependencies.versions.trainings.start(an_attempt())
    failing = of_attempt(event, an_attempt(), step="Prepare training", error="Lambda.Unknown", cause="?")
    explain(failing | {"prepared": {}})
    (run,) = dependencies.run_store.runs(GROUP)
    assert (run.run_id, run.status) == ("t" * 32, RunStatus.FAILED)


def test_a_lost_job_is_a_run_but_not_yet_a_failed_training(explain, dependencies, event: dict):
    dependencies.versions.trainings.start(an_attempt())
    job = json.loads(event["failure"]["cause"]) | {"FailureReason": "InternalServerError: Please try again."}
    lost = of_attempt(event, an_attempt(), cause=json.dumps(job))
    assert explain(lost | {"n_lost_jobs": 0})["run_again"] is True
    assert len(list(dependencies.run_store.runs(GROUP))) == 1
    assert dependencies.versions.trainings.failure_of(an_attempt()) is None
    assert dependencies.notifier.emails == []
    assert explain(lost | {"n_lost_jobs": 2})["run_again"] is False
    assert dependencies.versions.trainings.failure_of(an_attempt()).error == "JobStoppedError"


def test_an_execution_of_release_0_2_sends_its_email_itself(explain, dependencies, event: dict):
    del event["execution_arn"], event["training_id"], event["version"], event["n_lost_jobs"]
    assert explain(event)["is_mailed"] is False
    assert dependencies.notifier.emails == []


def test_a_late_report_of_an_earlier_attempt_does_not_fail_the_present_one(
    explain, dependencies, event: dict
):
    for attempt in (1, 2):
        dependencies.versions.trainings.start(an_attempt(attempt))
    explain(of_attempt(event, an_attempt(1)))
    assert dependencies.versions.trainings.failure_of(an_attempt(2)) is None


@pytest.mark.parametrize("step", ["Request approval", "Promote model", "Mail promotion", "Mail gate result"])
def test_a_failure_after_the_registration_does_not_free_the_dataset(explain, dependencies, event: dict, step):
    dependencies.versions.trainings.start(an_attempt())
    failing = of_attempt(event, an_attempt(), step=step, error="Lambda.Unknown", cause="?")
    explanation = explain(failing | {"version": "v1.0.0"})
    assert explanation["is_mailed"] is False
    assert dependencies.versions.trainings.failure_of(an_attempt()) is None
    assert "v1.0.0" in explanation["advice"]
