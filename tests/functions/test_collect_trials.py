"""The function that hands the trials of a tuning job to the training job, with its sample event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from functions.collect_trials import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import TrainingError
from tests.functions.approval_stage import CONTEXT

NAME = "medication-ad-75f965c34d-0-0"
AT = datetime(2026, 3, 1, tzinfo=UTC)


def summary(number: int, tuned: dict[str, str], score: float | None, reason: str = "") -> dict:
    objective, name = {"MetricName": "out_of_fold", "Value": score}, f"{NAME}-{number:03d}-0123abcd"
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "CreationTime": AT,
        "TrainingJobStatus": "Completed" if score is not None else "Failed",
        "TunedHyperParameters": tuned,
        **({"FailureReason": reason} if reason else {}),
        **({} if score is None else {"FinalHyperParameterTuningJobObjectiveMetric": objective}),
    }


@pytest.fixture
def sagemaker(aws) -> Iterator[Stubber]:
    client("s3").create_bucket(Bucket="artifact-bucket")
    with Stubber(client("sagemaker")) as stubber:
        yield stubber


@pytest.fixture
def event(repository: Path) -> dict:
    return json.loads((repository / "events" / "collect_trials.json").read_text())


def collect(event: dict) -> dict:
    return app.handler(event, CONTEXT, dependencies=Dependencies("collect_trials"))


def expect(sagemaker: Stubber, *pages: list[dict]) -> None:
    """Answer with pages of trials, and each trial described after its page."""
    for number, page in enumerate(pages):
        expected = {"HyperParameterTuningJobName": NAME, "MaxResults": 100}
        expected |= {"NextToken": str(number)} if number else {}
        more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
        sagemaker.add_response(
            "list_training_jobs_for_hyper_parameter_tuning_job",
            {"TrainingJobSummaries": page, **more},
            expected,
        )
        for trial in page:
            described = {
                name: trial[name]
                for name in ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "CreationTime")
            }
            described |= {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/k"}, "SecondaryStatus": "Completed"}
            described |= {"ResourceConfig": {"VolumeSizeInGB": 30}, "StoppingCondition": {}}
            described |= {
                "AlgorithmSpecification": {"TrainingInputMode": "File"},
                "BillableTimeInSeconds": 90,
            }
            described |= {"FailureReason": trial["FailureReason"]} if "FailureReason" in trial else {}
            sagemaker.add_response(
                "describe_training_job", described, {"TrainingJobName": trial["TrainingJobName"]}
            )


def written(prepared: dict) -> dict:
    (channel,) = (c for c in prepared["input_data_config"] if c["ChannelName"] == "trials")
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    key = uri.removeprefix("s3://artifact-bucket/") + "trials.json"
    return json.loads(client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read())


def test_every_page_of_trials_reaches_the_training_job_the_best_first(sagemaker: Stubber, event: dict):
    expect(
        sagemaker,
        [summary(1, {"max_iter": "120", "learning_rate": "0.05"}, 0.71)],
        [summary(2, {"max_iter": "300", "learning_rate": "0.01"}, 0.74)],
    )
    prepared = collect(event)
    document = written(prepared)
    assert document["trials"] == [
        {"hyperparameters": {"learning_rate": 0.01, "max_iter": 300}, "score": 0.74},
        {"hyperparameters": {"learning_rate": 0.05, "max_iter": 120}, "score": 0.71},
    ]
    assert isinstance(document["trials"][0]["hyperparameters"]["max_iter"], int)
    assert document["n_failed"] == 0
    assert prepared["tried"] == {"n_jobs": 2, "billable_seconds": 180}
    assert {name: prepared[name] for name in ("job_name", "hyperparameters", "tuning")} == {
        name: event["prepared"][name] for name in ("job_name", "hyperparameters", "tuning")
    }


def test_a_repeated_call_adds_no_second_channel(sagemaker: Stubber, event: dict):
    trials = [summary(1, {"max_iter": "120"}, 0.71)]
    expect(sagemaker, trials)
    first = collect(event)
    expect(sagemaker, trials)
    assert collect({**event, "prepared": first}) == first


def test_choices_come_back_as_what_they_were(sagemaker: Stubber, event: dict):
    tuned = {"max_features": '"sqrt"', "bootstrap": "true", "criterion": "gini"}
    expect(sagemaker, [summary(1, tuned, 0.7)])
    (trial,) = written(collect(event))["trials"]
    assert trial["hyperparameters"] == {"max_features": "sqrt", "bootstrap": True, "criterion": "gini"}


def test_failed_trials_are_counted_with_their_reason(sagemaker: Stubber, event: dict):
    reason = "AlgorithmError: HistGradientBoosting cannot be fitted: too deep., exit code: 1"
    expect(sagemaker, [summary(1, {"max_iter": "1"}, 0.7), summary(2, {"max_iter": "2"}, None, reason)])
    document = written(collect(event))
    assert document["n_failed"] == 1
    assert document["reason"] == "HistGradientBoosting cannot be fitted: too deep."


def test_trials_without_any_score_are_a_failure_with_their_commonest_reason(sagemaker: Stubber, event: dict):
    reasons = ["AlgorithmError: One., exit code: 1", *["AlgorithmError: Two., exit code: 1"] * 2]
    expect(sagemaker, [summary(n, {"max_iter": str(n)}, None, reason) for n, reason in enumerate(reasons)])
    with pytest.raises(TrainingError, match=r"^Two\.$"):
        collect(event)
