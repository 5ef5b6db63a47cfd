"""Spot training and checkpoints: limits checked as the service checks them, files kept between attempts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from local.tests.sagemaker.training_jobs import job_request

COUNTING = """
import os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
kept = base / "checkpoints/rounds.txt"
rounds = int(kept.read_text()) if kept.is_file() else 0
kept.write_text(str(rounds + 1))
(base / "model/rounds.txt").write_text(str(rounds + 1))
"""


def a_spot_job(sample: dict[str, str], **limits: int) -> dict[str, Any]:
    return job_request(sample, EnableManagedSpotTraining=True, StoppingCondition=limits)


def test_a_spot_job_with_time_to_wait_runs(
    sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    job = finished(a_spot_job(sample, MaxRuntimeInSeconds=60, MaxWaitTimeInSeconds=60))
    assert (job["TrainingJobStatus"], job["EnableManagedSpotTraining"]) == ("Completed", True)


@pytest.mark.parametrize(
    "limits", [{"MaxRuntimeInSeconds": 60}, {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}]
)
def test_a_wait_that_does_not_include_the_run_is_refused(
    cloud: LocalCloud, sample: dict[str, str], data: str, limits: dict[str, int]
) -> None:
    with pytest.raises(ClientError, match="greater than or equal to MaxRuntimeInSeconds"):
        cloud.client("sagemaker").create_training_job(**a_spot_job(sample, **limits))


def test_a_wait_without_spot_is_refused(cloud: LocalCloud, sample: dict[str, str], data: str) -> None:
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}
    with pytest.raises(ClientError, match="managed spot training"):
        cloud.client("sagemaker").create_training_job(**job_request(sample, StoppingCondition=limits))


def test_the_next_attempt_finds_what_the_last_one_kept(
    cloud: LocalCloud, sample: dict[str, str], data: str, finished: Callable[..., Any]
) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=data, Key="counting/train.py", Body=COUNTING.encode())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/counting/"}
    channels = [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}]
    for attempt in (1, 2):
        kept = {"S3Uri": f"s3://{data}/out/checkpoints/one/"}
        job = finished(job_request(sample, InputDataConfig=channels, CheckpointConfig=kept))
        assert job["TrainingJobStatus"] == "Completed", json.dumps(job, default=str)
        stored = s3.get_object(Bucket=data, Key="out/checkpoints/one/rounds.txt")
        assert stored["Body"].read() == str(attempt).encode()
