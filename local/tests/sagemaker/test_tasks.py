"""SageMaker jobs as the tasks of a state machine, and what the event bus hears of them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from local import LocalCloud
from local.tests.sagemaker.training_jobs import job_request


def test_a_state_machine_waits_for_its_job(
    run_flow: Callable[..., Any], sample: dict[str, str], data: str, cloud: LocalCloud
) -> None:
    execution = run_flow("train", job_name=f"flow-{uuid.uuid4().hex[:8]}", hyperparameters={"mode": "good"})
    assert execution["status"] == "SUCCEEDED", execution
    job = json.loads(execution["output"])
    assert job["TrainingJobStatus"] == "Completed"
    assert isinstance(job["TrainingStartTime"], int)
    assert job["TrainingStartTime"] > 1_700_000_000_000
    assert job["Tags"] == {"MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
    looked_up = run_flow("look up", job_name=job["TrainingJobName"])
    assert json.loads(looked_up["output"])["TrainingJobArn"] == job["TrainingJobArn"]


def test_a_failed_job_is_a_failed_task_with_the_job_as_cause(run_flow: Callable[..., Any], data: str) -> None:
    execution = run_flow("train", job_name=f"flow-{uuid.uuid4().hex[:8]}", hyperparameters={"mode": "fail"})
    caught = json.loads(execution["output"])
    assert caught["Error"] == "States.TaskFailed"
    job = json.loads(caught["Cause"])
    assert job["FailureReason"] == "AlgorithmError: the target column is missing, exit code: 3"


def test_stopping_the_execution_stops_the_job(
    run_flow: Callable[..., Any], data: str, cloud: LocalCloud, eventually: Callable[..., Any]
) -> None:
    name, client = f"flow-{uuid.uuid4().hex[:8]}", cloud.client("sagemaker")
    execution = run_flow("train", wait=False, job_name=name, hyperparameters={"mode": "sleep"})

    def is_in(status: str) -> Callable[[], bool]:
        return lambda: (
            [
                entry["TrainingJobStatus"]
                for entry in client.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
            ]
            == [status]
        )

    eventually(is_in("InProgress"))
    cloud.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    eventually(is_in("Stopped"))


def test_each_status_is_an_event(
    cloud: LocalCloud,
    sample: dict[str, str],
    data: str,
    finished: Callable[..., Any],
    eventually: Callable[..., Any],
) -> None:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    url = sqs.create_queue(QueueName="job-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"]}
    events.put_rule(Name="jobs", EventPattern=json.dumps(pattern))
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "*",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    events.put_targets(Rule="jobs", Targets=[{"Id": "queue", "Arn": arn}])
    try:
        job = finished(job_request(sample))
    finally:
        events.remove_targets(Rule="jobs", Ids=["queue"])
        events.delete_rule(Name="jobs")
    seen: list[dict[str, Any]] = []

    def all_five() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        seen.extend(json.loads(message["Body"])["detail"] for message in messages)
        return len(seen) >= 5

    eventually(all_five)
    assert {entry["SecondaryStatus"] for entry in seen} == {
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    }
    last = next(entry for entry in seen if entry["SecondaryStatus"] == "Completed")
    assert last["TrainingJobArn"] == job["TrainingJobArn"]
    assert last["TrainingEndTime"] == round(job["TrainingEndTime"].timestamp() * 1000)
