"""With two Lambda workers and one job at a time: nothing is lost, and nothing waits for ever."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local import LocalCloud, local_cloud
from local.launcher import read_state
from local.processes import session_members
from local.tests.resources import invoke, make_function, make_role
from local.tests.sagemaker.training_jobs import TRAIN, job_request

MAX_WORKERS = 2
# Invokes itself `depth` times, or starts `other` as an event and waits for what that writes, or writes.
FUNCTION = """
import json, time, boto3

def handler(event, context):
    client = boto3.client("lambda")
    if event.get("depth"):
        payload = json.dumps({"depth": event["depth"] - 1})
        answer = client.invoke(FunctionName=context.function_name, Payload=payload)
        return 1 + json.loads(answer["Payload"].read())
    s3, key = boto3.client("s3"), event.get("key")
    if event.get("other"):
        payload = json.dumps({"key": key})
        client.invoke(FunctionName=event["other"], InvocationType="Event", Payload=payload)
        while not s3.list_objects_v2(Bucket="limits", Prefix=key).get("Contents"):
            time.sleep(0.2)
    elif key:
        time.sleep(event.get("seconds", 0))
        s3.put_object(Bucket="limits", Key=key)
    return 0
"""


@pytest.fixture(scope="module")
def small_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_STOP_GRACE_SECONDS", "1")
        patch.setenv("LOCAL_MAX_LAMBDA_WORKERS", str(MAX_WORKERS))
        patch.setenv("LOCAL_MAX_LAMBDA_PROCESSES", str(MAX_WORKERS))
        patch.setenv("LOCAL_MAX_SAGEMAKER_JOBS", "1")
        with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as cloud:
            yield cloud


@pytest.fixture(scope="module")
def role(small_cloud: LocalCloud) -> str:
    small_cloud.client("s3").create_bucket(Bucket="limits")
    return make_role(small_cloud)


@pytest.fixture(scope="module")
def functions(small_cloud: LocalCloud, role: str) -> list[str]:
    return [make_function(small_cloud, role, name, FUNCTION) for name in ("first", "second", "third")]


def workers(cloud: LocalCloud) -> int:
    state = read_state(cloud.directory)
    assert state is not None
    return len(session_members(state.pid))


def keys(cloud: LocalCloud, prefix: str) -> int:
    return int(cloud.client("s3").list_objects_v2(Bucket="limits", Prefix=prefix)["KeyCount"])


def test_events_above_the_limit_wait_and_none_is_lost(
    small_cloud: LocalCloud, functions: list[str], eventually: Callable[..., Any]
) -> None:
    client, peak = small_cloud.client("lambda"), 0
    for number in range(9):
        event = json.dumps({"key": f"event/{number}", "seconds": 0.2})
        client.invoke(FunctionName=functions[number % 3], InvocationType="Event", Payload=event)

    def all_written() -> bool:
        nonlocal peak
        peak = max(peak, workers(small_cloud))
        return keys(small_cloud, "event/") == 9

    eventually(all_written, 60)
    assert peak == MAX_WORKERS


def test_idle_workers_make_room_for_another_function(small_cloud: LocalCloud, functions: list[str]) -> None:
    for function in functions:
        assert invoke(small_cloud, function, {}) == 0
    assert workers(small_cloud) == MAX_WORKERS


def test_functions_that_invoke_themselves_do_not_wait_for_each_other(
    small_cloud: LocalCloud, functions: list[str]
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: invoke(small_cloud, functions[0], {"depth": 3}), range(4)))
    assert answers == [3, 3, 3, 3]


def test_branches_of_a_state_machine_do_not_wait_for_each_other(
    small_cloud: LocalCloud, functions: list[str], role: str, eventually: Callable[..., Any]
) -> None:
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": functions[1], "Payload": {"depth": 2}},
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }
    branch = {"StartAt": "Call", "States": {"Call": call}}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "All",
        "States": {"All": {"Type": "Parallel", "Branches": [branch] * 5, "End": True}},
    }
    client = small_cloud.client("stepfunctions")
    machine = client.create_state_machine(name="all", definition=json.dumps(definition), roleArn=role)
    arn = client.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = client.describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    execution = eventually(ended, 60)
    assert (execution["status"], execution.get("output")) == ("SUCCEEDED", "[2, 2, 2, 2, 2]")


def test_functions_that_wait_for_the_effect_of_an_event_get_it(
    small_cloud: LocalCloud, functions: list[str]
) -> None:
    """All workers wait for events in the queue: only their CPU time shows it."""

    def wait_for_other(number: int) -> Any:
        return invoke(small_cloud, functions[0], {"other": functions[1], "key": f"effect/{number}"})

    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        assert list(pool.map(wait_for_other, range(MAX_WORKERS))) == [0] * MAX_WORKERS


def test_an_invocation_with_a_waiting_caller_goes_before_events(
    small_cloud: LocalCloud, functions: list[str]
) -> None:
    client, events = small_cloud.client("lambda"), 12
    for number in range(events):
        event = json.dumps({"key": f"queue/{number}", "seconds": 3})
        client.invoke(FunctionName=functions[0], InvocationType="Event", Payload=event)
    before = keys(small_cloud, "queue/")
    assert invoke(small_cloud, functions[0], {}) == 0
    after = keys(small_cloud, "queue/")
    # it waits for one of those that run, not for all: in turn it would be the last
    assert before <= after <= before + 2 * MAX_WORKERS < events


def test_a_second_job_stays_in_starting_until_the_first_ends(
    small_cloud: LocalCloud, role: str, eventually: Callable[..., Any]
) -> None:
    s3, client = small_cloud.client("s3"), small_cloud.client("sagemaker")
    s3.put_object(Bucket="limits", Key="code/train.py", Body=TRAIN.encode())
    s3.put_object(Bucket="limits", Key="data/train.csv", Body=b"a,b\n1,2\n")
    places = {"BucketName": "limits", "JobRoleArn": role}
    long = job_request(places, HyperParameters={"mode": "sleep"})
    short, stopped = job_request(places), job_request(places)
    for request in (long, short, stopped):
        client.create_training_job(**request)

    def described(request: dict[str, Any]) -> dict[str, Any]:
        return client.describe_training_job(TrainingJobName=request["TrainingJobName"])

    def status(request: dict[str, Any]) -> tuple[str, str]:
        job = described(request)
        return job["TrainingJobStatus"], job["SecondaryStatus"]

    eventually(lambda: status(long) == ("InProgress", "Training"), 30)
    client.stop_training_job(TrainingJobName=stopped["TrainingJobName"])
    eventually(lambda: status(stopped) == ("Stopped", "Stopped"))
    assert status(short) == ("InProgress", "Starting")
    client.stop_training_job(TrainingJobName=long["TrainingJobName"])
    eventually(lambda: status(long)[0] == "Stopped", 30)
    eventually(lambda: status(short) == ("Completed", "Completed"), 30)
    assert described(short)["TrainingStartTime"] >= described(long)["TrainingEndTime"]
