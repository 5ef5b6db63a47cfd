"""Corrections of Step Functions: roles, error names, task tokens, the context object, and its metrics."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalCloud
from local.fixes.schedule_role import with_context_attributes


def test_a_catch_by_exception_class_matches(run_flow: Callable[..., Any]) -> None:
    caught = json.loads(run_flow("raise", error="rows")["output"])
    assert caught["Error"] == "RowsMissingError"
    assert json.loads(caught["Cause"])["errorMessage"] == "7 rows are missing"


def test_another_exception_class_is_not_caught(run_flow: Callable[..., Any]) -> None:
    execution = run_flow("raise", error="other")
    assert (execution["status"], execution["error"]) == ("FAILED", "ValueError")


def test_a_call_that_the_role_does_not_allow_fails_the_state(run_flow: Callable[..., Any]) -> None:
    execution = run_flow("greet")
    assert execution["error"] == "Lambda.AWSLambdaException"
    assert "not authorized to perform: lambda:InvokeFunction" in execution["cause"]


def test_the_decisions_of_a_machine_are_logged_under_its_role(
    run_flow: Callable[..., Any], cloud: LocalCloud
) -> None:
    execution = run_flow("tell", message="a machine speaks")
    assert execution["status"] == "SUCCEEDED"
    decision = next(entry for entry in reversed(cloud.iam_decisions()) if entry["action"] == "sns:Publish")
    assert decision["session"] == execution["name"]
    assert [statement["sid"] for statement in decision["statements"]] == ["TellReaders"]
    assert decision["source"] == "service"


def test_the_context_object_is_complete(run_flow: Callable[..., Any]) -> None:
    context = json.loads(run_flow("context")["output"])
    assert context["redrives"] == 0
    assert ":role/sample-MachineRole-" in context["role"]


def test_a_distributed_map_speaks_jsonata_and_its_children_know_nothing_of_their_parent(
    run_flow: Callable[..., Any], cloud: LocalCloud, sample: dict[str, str]
) -> None:
    cloud.client("s3").put_object(Bucket=sample["BucketName"], Key="list.json", Body=b"[1, 2, 3]")
    execution = run_flow("spread", key="list.json")
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    children = [{"seen": number, "knows_parent": False} for number in (2, 4, 6)]
    assert json.loads(execution["output"]) == {"n": 3, "children": children, "total": 12}
    states = cloud.client("stepfunctions")
    (run,) = states.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    assert states.describe_map_run(mapRunArn=run["mapRunArn"])["maxConcurrency"] == 2


@pytest.fixture
def token(
    run_flow: Callable[..., Any],
    cloud: LocalCloud,
    sample: dict[str, str],
    eventually: Callable[..., Any],
    request: Any,
) -> tuple[str, str]:
    """An execution that waits, and its token."""
    question = request.node.name
    execution = run_flow("ask", wait=False, question=question)
    key = {"pk": {"S": f"question/{question}"}}
    table = cloud.client("dynamodb")
    item = eventually(lambda: table.get_item(TableName=sample["TableName"], Key=key).get("Item"))
    return execution["executionArn"], item["token"]["S"]


def test_a_token_is_answered_once(
    cloud: LocalCloud, token: tuple[str, str], eventually: Callable[..., Any]
) -> None:
    states, (execution_arn, task_token) = cloud.client("stepfunctions"), token
    states.send_task_success(taskToken=task_token, output='{"decision": "approved"}')
    for answer in (
        lambda: states.send_task_success(taskToken=task_token, output='{"decision": "rejected"}'),
        lambda: states.send_task_failure(taskToken=task_token),
        lambda: states.send_task_heartbeat(taskToken=task_token),
    ):
        with pytest.raises(ClientError) as refused:
            answer()
        assert refused.value.response["Error"]["Code"] == "TaskTimedOut"

    def output() -> Any:
        return states.describe_execution(executionArn=execution_arn).get("output")

    assert json.loads(eventually(output)) == {"decision": "approved"}


def test_a_token_of_a_stopped_execution_is_closed(
    cloud: LocalCloud, token: tuple[str, str], eventually: Callable[..., Any]
) -> None:
    states, (execution_arn, task_token) = cloud.client("stepfunctions"), token
    states.stop_execution(executionArn=execution_arn)

    def is_closed() -> bool:
        try:
            states.send_task_heartbeat(taskToken=task_token)
        except ClientError as error:
            return error.response["Error"]["Code"] == "TaskTimedOut"
        return False

    assert eventually(is_closed)


def test_what_never_was_a_token_is_invalid(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError) as refused:
        cloud.client("stepfunctions").send_task_success(taskToken="made-up", output="{}")
    assert refused.value.response["Error"]["Code"] == "InvalidToken"


def test_a_function_that_cannot_ask_fails_the_waiting_state(run_flow: Callable[..., Any]) -> None:
    execution = run_flow("ask", question="refuse")
    assert (execution["status"], execution["error"]) == ("FAILED", "RuntimeError")


def test_a_time_limit_in_jsonata_is_evaluated(run_flow: Callable[..., Any]) -> None:
    execution = run_flow("ask", question="time limit", seconds=1)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Timeout")


def test_a_time_limit_that_is_not_a_number_fails_the_state(run_flow: Callable[..., Any]) -> None:
    execution = run_flow("ask", question="no limit", seconds="soon")
    assert (execution["status"], execution["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_executions_are_counted_as_metrics(
    run_flow: Callable[..., Any], cloud: LocalCloud, sample: dict[str, str]
) -> None:
    run_flow("no such case")
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": sample["FlowArn"]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in points) >= 1


def test_a_schedule_calls_its_target_only_when_its_role_allows_it(
    cloud: LocalCloud, sample: dict[str, str], eventually: Callable[..., Any]
) -> None:
    scheduler, iam = cloud.client("scheduler"), cloud.client("iam")
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x.com"}}]
    }
    role = iam.create_role(RoleName="may-nothing", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    function = cloud.client("lambda").get_function(FunctionName=sample["GreetFunctionName"])["Configuration"]
    scheduler.create_schedule(
        Name="not-allowed",
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function["FunctionArn"], "RoleArn": role},
    )

    def denial() -> Any:
        decisions = [entry for entry in cloud.iam_decisions() if entry["role"] == "may-nothing"]
        return decisions and tuple(decisions[0][name] for name in ("action", "resource", "allowed"))

    assert eventually(denial, 20) == ("lambda:InvokeFunction", function["FunctionArn"], False)


def test_the_input_of_a_schedule_gets_its_time() -> None:
    fired_at = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    text = with_context_attributes(
        '{"scheduled_at": "<aws.scheduler.scheduled-time>"}', {"Arn": "a"}, fired_at
    )
    assert json.loads(text) == {"scheduled_at": "2026-03-01T03:00:00Z"}
