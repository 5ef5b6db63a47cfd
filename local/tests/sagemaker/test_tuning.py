"""Tuning jobs start real training jobs, so many at once, and end as they do on AWS."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from mlops.infrastructure.aws.sagemaker import SageMakerTuningJobs
from mlops.models.errors import TrainingError
from mlops.pipelines.jobs.failure import TRIAL_TIME_LIMIT
from mlops.pipelines.jobs.sagemaker import SageMakerTrialJobs

TRIAL = """
import json, os, pathlib, sys, time
tried = json.loads(os.environ["SM_HPS"])
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
assert f"--depth {tried['depth']}" in " ".join(sys.argv), sys.argv
rows = (pathlib.Path(os.environ["SM_CHANNEL_TRAINING"]) / "train.csv").read_text().splitlines()
mode = tried.get("mode")
if mode == "sleep":
    time.sleep(60)
if mode == "fail" or (mode == "some" and tried["depth"] % 2):
    (base / "output/failure").write_text("the rows are too few")
    sys.exit(1)
print(f"trial objective={100 - abs(tried['depth'] - 6) + tried['rate']:.4f} of {len(rows)} rows", flush=True)
"""
STATUS = "HyperParameterTuningJobStatus"


def trial_jobs(client: Any) -> SageMakerTrialJobs:
    return SageMakerTrialJobs(SageMakerTuningJobs(client))


@pytest.fixture(scope="module")
def bucket(cloud: LocalCloud, sample: dict[str, str]) -> str:
    client = cloud.client("s3")
    client.put_object(Bucket=sample["BucketName"], Key="trial/train.py", Body=TRIAL.encode())
    client.put_object(Bucket=sample["BucketName"], Key="data/train.csv", Body=b"a,b\n1,2\n3,4\n")
    return sample["BucketName"]


def tuning_request(sample: dict[str, str], mode: str = "good", **limits: int) -> dict[str, Any]:
    def channel(name: str, key: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{sample['BucketName']}/{key}"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    ranges = {
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}],
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ['"a"', "0.5"]}],
    }
    return {
        "HyperParameterTuningJobName": f"tune-{uuid.uuid4().hex[:12]}",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "objective"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2, **limits},
            "ParameterRanges": ranges,
            "RandomSeed": 3,
        },
        "TrainingJobDefinition": {
            "RoleArn": sample["JobRoleArn"],
            "AlgorithmSpecification": {
                "TrainingImage": "local/python",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "objective", "Regex": r"trial objective=(\S+)"}],
            },
            "StaticHyperParameters": {
                "mode": mode,
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": "/opt/ml/input/data/code",
            },
            "InputDataConfig": [channel("code", "trial/"), channel("training", "data/train.csv")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{sample['BucketName']}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
        "Tags": [{"Key": "group", "Value": "a"}],
    }


@pytest.fixture
def tuned(cloud: LocalCloud, eventually: Callable[..., Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Create a tuning job and return it described once it has ended."""
    client = cloud.client("sagemaker")

    def run(request: dict[str, Any]) -> dict[str, Any]:
        client.create_hyper_parameter_tuning_job(**request)
        name = request["HyperParameterTuningJobName"]

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
            return job if job[STATUS] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = eventually(ended, 60)
        return job

    return run


def test_a_tuning_job_runs_its_trials_and_names_the_best(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    job = tuned(tuning_request(sample))
    assert job[STATUS] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    name = job["HyperParameterTuningJobName"]
    client = cloud.client("sagemaker")
    trials = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["TrainingJobSummaries"]
    assert len({json.dumps(trial["TunedHyperParameters"], sort_keys=True) for trial in trials}) == 4
    scores = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
    assert scores == sorted(scores, reverse=True)
    assert job["BestTrainingJob"]["TrainingJobName"] == trials[0]["TrainingJobName"]
    best = client.describe_training_job(TrainingJobName=trials[0]["TrainingJobName"])
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert best["HyperParameters"]["_tuning_objective_metric"] == "objective"
    assert best["TrainingJobName"].startswith(f"{name}-00")
    tags = client.list_tags(ResourceArn=best["TrainingJobArn"])["Tags"]
    assert tags == client.list_tags(ResourceArn=job["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "group", "Value": "a"}]


def test_no_more_trials_run_at_once_than_are_allowed(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    name = tuned(tuning_request(sample, MaxParallelTrainingJobs=1))["HyperParameterTuningJobName"]
    trials = cloud.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )["TrainingJobSummaries"]
    for earlier, later in pairwise(trials):
        assert later["CreationTime"] >= earlier["TrainingEndTime"]


def test_the_same_seed_draws_the_same_combinations(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    jobs = trial_jobs(cloud.client("sagemaker"))
    names = [tuned(tuning_request(sample))["HyperParameterTuningJobName"] for _ in range(2)]
    first, second = ([trial.hyperparameters for trial in jobs.of(name)] for name in names)
    assert first == second


def test_trials_that_fail_are_counted_and_the_others_count(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    job = tuned(tuning_request(sample, "some", MaxNumberOfTrainingJobs=6))
    assert job[STATUS] == "Completed"
    trials = trial_jobs(cloud.client("sagemaker")).of(job["HyperParameterTuningJobName"])
    assert {(trial.status, trial.score is None) for trial in trials} == {
        ("Completed", False),
        ("Failed", True),
    }
    assert {trial.reason for trial in trials} == {"", "the rows are too few"}
    assert all(trial.billable_seconds >= 1 for trial in trials)


def test_five_trials_that_fail_end_the_job(
    sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    job = tuned(tuning_request(sample, "fail", MaxNumberOfTrainingJobs=9, MaxParallelTrainingJobs=1))
    assert job[STATUS] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 5


def test_trials_past_their_time_say_so(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    request = tuning_request(sample, "sleep", MaxNumberOfTrainingJobs=1)
    request["TrainingJobDefinition"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 1}
    job = tuned(request)
    assert job[STATUS] == "Failed"
    (trial,) = trial_jobs(cloud.client("sagemaker")).of(job["HyperParameterTuningJobName"])
    assert (trial.status, trial.reason) == ("Stopped", TRIAL_TIME_LIMIT)


def test_stopping_a_tuning_job_stops_its_trials(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, eventually: Callable[..., Any]
) -> None:
    client, request = cloud.client("sagemaker"), tuning_request(sample, "sleep")
    name = {"HyperParameterTuningJobName": request["HyperParameterTuningJobName"]}
    client.create_hyper_parameter_tuning_job(**request)

    def count(counter: str) -> int:
        job = client.describe_hyper_parameter_tuning_job(**name)
        return int(job["TrainingJobStatusCounters"][counter])

    eventually(lambda: count("InProgress") == 2)
    client.stop_hyper_parameter_tuning_job(**name)
    eventually(lambda: client.describe_hyper_parameter_tuning_job(**name)[STATUS] == "Stopped")
    assert (count("Stopped"), count("InProgress")) == (2, 0)
    with pytest.raises(ClientError, match="is in status Stopped"):
        client.stop_hyper_parameter_tuning_job(**name)


def test_a_name_is_used_once_and_an_unknown_one_is_not_found(
    cloud: LocalCloud, sample: dict[str, str], bucket: str, tuned: Callable[..., Any]
) -> None:
    request = tuning_request(sample, MaxNumberOfTrainingJobs=1)
    tuned(request)
    client = cloud.client("sagemaker")
    with pytest.raises(ClientError) as refused:
        client.create_hyper_parameter_tuning_job(**request)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(TrainingError, match="no tuning job missing"):
        trial_jobs(client).of("missing")


def with_name_of_33_characters(request: dict[str, Any]) -> None:
    request["HyperParameterTuningJobName"] = "a" * 33


def without_a_program(request: dict[str, Any]) -> None:
    del request["TrainingJobDefinition"]["StaticHyperParameters"]["sagemaker_program"]


def with_another_objective(request: dict[str, Any]) -> None:
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    objective["MetricName"] = "other"


def with_a_range_that_is_static_too(request: dict[str, Any]) -> None:
    request["TrainingJobDefinition"]["StaticHyperParameters"]["depth"] = "3"


def with_31_choices(request: dict[str, Any]) -> None:
    choices = request["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"]
    choices[0]["Values"] = [str(number) for number in range(31)]


def with_a_wait_without_spot(request: dict[str, Any]) -> None:
    request["TrainingJobDefinition"]["StoppingCondition"]["MaxWaitTimeInSeconds"] = 90


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (with_name_of_33_characters, "less than or equal to 32"),
        (without_a_program, "no entry point of its own"),
        (with_another_objective, "not among the MetricDefinitions"),
        (with_a_range_that_is_static_too, "named once"),
        (with_31_choices, "less than or equal to 30"),
        (with_a_wait_without_spot, "managed spot training"),
    ],
)
def test_a_request_that_the_service_would_refuse_is_refused(
    cloud: LocalCloud, sample: dict[str, str], spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    request = tuning_request(sample)
    spoil(request)
    with pytest.raises(ClientError, match=message) as refused:
        cloud.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_state_machine_waits_for_its_tuning_job(
    run_flow: Callable[..., Any], sample: dict[str, str], bucket: str
) -> None:
    request = tuning_request(sample, MaxNumberOfTrainingJobs=2)
    execution = run_flow("tune", request=request)
    assert execution["status"] == "SUCCEEDED", execution
    job = json.loads(execution["output"])
    assert job[STATUS] == "Completed"
    assert set(job["BestTrainingJob"]["TunedHyperParameters"]) == {"depth", "rate", "kind"}
    assert isinstance(job["HyperParameterTuningEndTime"], int)
    assert job["Tags"] == {"group": "a", "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}


def test_a_failed_tuning_job_is_a_failed_task_with_the_job_as_cause(
    run_flow: Callable[..., Any], sample: dict[str, str], bucket: str
) -> None:
    execution = run_flow("tune", request=tuning_request(sample, "fail", MaxNumberOfTrainingJobs=2))
    caught = json.loads(execution["output"])
    assert caught["Error"] == "States.TaskFailed"
    assert json.loads(caught["Cause"])[STATUS] == "Failed"


def test_stopping_the_execution_stops_the_tuning_job(
    run_flow: Callable[..., Any], sample: dict[str, str], bucket: str, cloud: LocalCloud, eventually
) -> None:
    request, client = tuning_request(sample, "sleep"), cloud.client("sagemaker")
    execution = run_flow("tune", wait=False, request=request)
    name = request["HyperParameterTuningJobName"]

    def is_in(status: str) -> Callable[[], bool]:
        def look() -> bool:
            listed = client.list_hyper_parameter_tuning_jobs(NameContains=name)
            return [job[STATUS] for job in listed["HyperParameterTuningJobSummaries"]] == [status]

        return look

    eventually(is_in("InProgress"))
    cloud.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    eventually(is_in("Stopped"))
