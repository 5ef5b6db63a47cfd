"""A search whose trials are jobs of a tuning job: the best of them becomes the candidate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stack import DeployedStack, wait
from tests.e2e.conftest import SEARCH, TUNING_PARALLEL_JOBS
from tests.e2e.walks import Walk, a_regression_table, start_training

pytestmark = pytest.mark.e2e

N_TRIALS = 5


@pytest.fixture(scope="session")
def stopped_tuning(stack: DeployedStack) -> Walk:
    """A training whose tuning job was stopped."""
    execution = start_training(stack, "unhurried", a_regression_table(rows=3000, seed=16), SEARCH)
    sagemaker = stack.cloud.client("sagemaker")

    def running() -> str | None:
        actual = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="unhurried")
        jobs = actual["HyperParameterTuningJobSummaries"]
        return next((job["HyperParameterTuningJobName"] for job in jobs), None)

    name = wait(running, "the tuning job", 60)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return Walk(execution, stack.finish(execution), stack.status(execution), {})


def tuning_job(stack: DeployedStack, group: str) -> dict[str, Any]:
    client = stack.cloud.client("sagemaker")
    (listed,) = client.list_hyper_parameter_tuning_jobs(NameContains=f"{group}-")[
        "HyperParameterTuningJobSummaries"
    ]
    name = listed["HyperParameterTuningJobName"]
    return client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def trained(stack: DeployedStack) -> dict[str, Any]:
    return json.loads(stack.read("models/tuned/v1.0.0/training_result.json"))


def test_a_search_is_a_tuning_job_before_the_training(stack: DeployedStack, tuned_candidate: Walk) -> None:
    assert tuned_candidate.states[2:8] == [
        "Prepare training",
        "A job for each trial?",
        "Tune hyperparameters",
        "Collect trials",
        "Train model",
        "Register model",
    ]
    job = tuning_job(stack, "tuned")
    assert job["ObjectiveStatusCounters"]["Succeeded"] == N_TRIALS
    limits = job["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits["MaxParallelTrainingJobs"] == TUNING_PARALLEL_JOBS
    channels = job["TrainingJobDefinition"]["InputDataConfig"]
    assert [channel["ChannelName"] for channel in channels] == ["code", "training", "contract"]
    client = stack.cloud.client("sagemaker")
    tags = client.list_tags(ResourceArn=job["HyperParameterTuningJobArn"])["Tags"]
    assert {"Key": "mlops:group", "Value": "tuned"} in tags


def test_the_best_hyperparameters_are_those_of_the_version_and_its_run(
    stack: DeployedStack, tuned_candidate: Walk
) -> None:
    result, best = trained(stack), tuning_job(stack, "tuned")["BestTrainingJob"]
    assert len(result["trials"]) == N_TRIALS + 1  # and what would be taken without a search
    tuned = {name: json.loads(value) for name, value in best["TunedHyperParameters"].items()}
    (actual,) = [trial for trial in result["trials"] if trial["hyperparameters"] == tuned]
    score = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert actual["score"] == pytest.approx(score, rel=1e-6)
    taken = result["trials"][0]
    assert taken["score"] == max(trial["score"] for trial in result["trials"])
    assert {**result["hyperparameters"], **taken["hyperparameters"]} == result["hyperparameters"]
    assert "search" in result["settings"]  # the team's settings stay what they are
    (run_key,) = [key for key in stack.keys("runs/tuned/") if key.endswith("evaluation.json")]
    assert json.loads(stack.read(run_key))["hyperparameters"] == result["hyperparameters"]


def test_the_card_shows_every_trial_and_what_they_cost(stack: DeployedStack, tuned_candidate: Walk) -> None:
    page = stack.read("models/tuned/v1.0.0/model_card.html").decode()
    section = page.split("What the search tried", 1)[1].split("</section>")[0]
    assert section.count("<tr") == 1 + N_TRIALS + 1
    assert f"{N_TRIALS} jobs of a tuning job, billed for" in page


def test_a_tuning_job_without_a_single_score_is_explained_by_its_trials(
    stack: DeployedStack, failed_tuning: Walk
) -> None:
    assert failed_tuning.status == "FAILED"
    assert "Train model" not in failed_tuning.states
    assert failed_tuning.states[-6:] == [
        "Explain failure",
        "Run the job again?",
        "Count failure",
        "Mailed already?",
        "What kind of failure?",
        "Training failed",
    ]
    subject = "untunable: training failed at Tune hyperparameters"
    mail = stack.wait_for_email(lambda m: m["subject"] == subject, "failure")
    assert "No training job succeeded" not in mail["body"]
    assert "smaller than the number of samples" in " ".join(mail["body"].split())


def test_a_tuning_job_that_a_person_stops_ends_as_stopped_with_its_trials(
    stack: DeployedStack, stopped_tuning: Walk
) -> None:
    assert (stopped_tuning.status, stopped_tuning.states[-1]) == ("FAILED", "Job stopped")
    assert "Train model" not in stopped_tuning.states
    job = tuning_job(stack, "unhurried")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("unhurried: training failed"), "stop")
    assert "The job was stopped by a person." in " ".join(mail["body"].split())
