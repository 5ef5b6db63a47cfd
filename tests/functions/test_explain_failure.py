"""Explaining why a step failed: the kind, the reason and the advice; a failed job becomes a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.explain_failure import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.experiment import RunStatus
from mlops.pipelines.jobs.trial_jobs import TrialJob
from mlops.use_cases.record_failure import FailedTraining, record_failure
from tests.functions.approval_stage import CONTEXT, GROUP


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifacts",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "MLOps/test",
        "NOTIFICATION_TOPIC_ARN": "no email is sent",
        "REGISTRY_TABLE_NAME": registry_table,
    }
    return Dependencies("explain_failure", variables)


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
    training = FailedTraining.from_event(a_failed_tuning(event), FixedTrials(trials))
    explained = training.explain()
    assert (explained.error, explained.reason) == ("TrainingError", "All rows are alike.")
    run = record_failure(
        training, explained, dependencies.run_store, dependencies.notifier, now=datetime.now(UTC)
    )
    assert (run.run_id, run.failure.message) == ("medication-adherence-3f1c9a52b7d0", "All rows are alike.")
    assert training.job.trials_billable_seconds == 3600
    assert training.job.actual_cost_usd == pytest.approx(0.115)
    names = {metric["MetricName"] for metric in client("cloudwatch").list_metrics()["Metrics"]}
    assert "TrainingCostUsd" in names


def test_only_a_tuning_job_has_its_trials_looked_up(event: dict):
    assert FailedTraining.from_event(event, FixedTrials(None)).trials == ()


class FixedTrials:
    """`TrialJobs` with fixed trials; None when they must not be requested."""

    def __init__(self, trials: list[TrialJob] | None) -> None:
        self._trials = trials

    def of(self, tuning_job_name: str) -> list[TrialJob]:
        assert self._trials is not None, f"{tuning_job_name} was looked up"
        return self._trials
