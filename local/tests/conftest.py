"""One emulator for all tests of this folder, and the sample stack deployed once into it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import LocalCloud, local_cloud
from local.deploy import deploy
from local.tests.sagemaker.training_jobs import TRAIN

SAMPLE_TEMPLATE = Path(__file__).parent / "sample" / "template.yaml"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_STOP_GRACE_SECONDS", "1")
        with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
            yield running


@pytest.fixture(scope="session")
def sample(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outputs of the deployed sample stack; the email subscription is not confirmed."""
    return deploy(
        cloud, SAMPLE_TEMPLATE, "sample", build_directory=tmp_path_factory.mktemp("build") / "build"
    )


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Poll until a look returns something true, or fail with what was last seen."""

    def poll(look: Callable[[], Any], seconds: float = 15.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = look()
            if seen:
                return seen
            time.sleep(0.1)
        pytest.fail(f"not seen within {seconds} s; last look: {seen!r}")

    return poll


@pytest.fixture(scope="session")
def run_flow(cloud: LocalCloud, sample: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Run one case of the sample state machine to its end and return DescribeExecution."""
    states = cloud.client("stepfunctions")

    def run(case: str, *, wait: bool = True, **arguments: Any) -> dict[str, Any]:
        text = json.dumps({"case": case, **arguments})
        arn = states.start_execution(stateMachineArn=sample["FlowArn"], input=text)["executionArn"]
        execution: dict[str, Any] = states.describe_execution(executionArn=arn)
        deadline = time.monotonic() + 60
        while wait and execution["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"still running after 60 s: {execution}"
            time.sleep(0.1)
            execution = states.describe_execution(executionArn=arn)
        return execution

    return run


@pytest.fixture(scope="session")
def data(cloud: LocalCloud, sample: dict[str, str]) -> str:
    client = cloud.client("s3")
    client.put_object(Bucket=sample["BucketName"], Key="code/train.py", Body=TRAIN.encode())
    client.put_object(Bucket=sample["BucketName"], Key="data/train.csv", Body=b"a,b\n1,2\n3,4\n")
    return sample["BucketName"]


@pytest.fixture
def finished(cloud: LocalCloud, eventually: Callable[..., Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Create a training job and return it described once it has ended."""
    client = cloud.client("sagemaker")

    def run(request: dict[str, Any]) -> dict[str, Any]:
        client.create_training_job(**request)
        name = request["TrainingJobName"]

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = eventually(ended, 30)
        return job

    return run
