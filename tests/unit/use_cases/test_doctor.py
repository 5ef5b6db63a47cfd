"""`mlops doctor` finds each fault that is planted, says what to do, and is silent about a healthy stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.stub import Stubber

from mlops.cli.main import main
from mlops.context.stack import StackContext
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.use_cases.champion_versions import StoppedChampion
from mlops.use_cases.doctor.checks import CHECKS, MIN_CONCURRENCY, Diagnosis, StackFacts, examine, run_check
from mlops.use_cases.doctor.usage import UsageFacts

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:approval"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:train"
ADDRESS = {"Protocol": "email", "Endpoint": "a@example.com", "Owner": "123456789012", "TopicArn": TOPIC}


@pytest.fixture
def facts(aws: None) -> StackFacts:
    """A stack with one empty dead-letter queue, and of nothing else."""
    url = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    return StackFacts([], {"UploadDeadLetterQueue": url}, [], 86_400, "ml.m5.large", NOW)


@contextmanager
def limits(training: float = 1, processing: float = 1, concurrency: int = 1000) -> Iterator[None]:
    """Answers about the limits of the account: what jobs may use, and how many functions run at once."""
    values = {"training job": training, "processing job": processing}
    quotas = [{"QuotaName": f"ml.m5.large for {use} usage", "Value": value} for use, value in values.items()]
    with Stubber(client("service-quotas")) as jobs, Stubber(client("lambda")) as functions:
        for _ in quotas:
            jobs.add_response("list_service_quotas", {"Quotas": quotas}, {"ServiceCode": "sagemaker"})
        functions.add_response(
            "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": concurrency}}
        )
        yield


def faults(check: str, facts: StackFacts) -> list[Diagnosis]:
    return [diagnosis for diagnosis in run_check(check, facts) if diagnosis.is_fault]


def test_a_healthy_stack_has_no_fault(facts: StackFacts) -> None:
    with limits():
        diagnoses = examine(facts)
    assert [entry.check for entry in diagnoses] == list(CHECKS)
    assert not any(entry.is_fault for entry in diagnoses)


@pytest.mark.parametrize(
    ("arn", "authenticated", "message"),
    [
        ("PendingConfirmation", "false", "a@example.com has not confirmed the subscription to approval"),
        (f"{TOPIC}:1", "false", "A link in an email ends the subscription of a@example.com to approval"),
        (f"{TOPIC}:1", "true", None),
    ],
)
def test_subscriptions(facts: StackFacts, arn: str, authenticated: str, message: str | None) -> None:
    facts = replace(facts, topic_arns=[TOPIC])
    with Stubber(client("sns")) as answers:
        listed = {"Subscriptions": [{**ADDRESS, "SubscriptionArn": arn}]}
        answers.add_response("list_subscriptions_by_topic", listed, {"TopicArn": TOPIC})
        attributes = {"Attributes": {"ConfirmationWasAuthenticated": authenticated}}
        answers.add_response("get_subscription_attributes", attributes, {"SubscriptionArn": arn})
        messages = [entry.message for entry in faults("subscriptions", facts)]
    assert messages == ([f"{message}."] if message else [])


def test_a_topic_without_an_address(facts: StackFacts) -> None:
    topic = client("sns").create_topic(Name="approval")["TopicArn"]
    (fault,) = faults("subscriptions", replace(facts, topic_arns=[topic]))
    assert fault.message == "No one has subscribed to approval."


def test_dead_letters(facts: StackFacts) -> None:
    client("sqs").send_message(QueueUrl=facts.dead_letter_queues["UploadDeadLetterQueue"], MessageBody="{}")
    (fault,) = faults("dead letters", facts)
    assert fault.message == "1 in UploadDeadLetterQueue."
    assert fault.remedy.endswith("`mlops replay UploadDeadLetterQueue`.")


@pytest.mark.parametrize(("age", "n_faults"), [(timedelta(days=10), 0), (timedelta(days=12), 1)])
def test_an_execution_that_runs_longer_than_an_approval_and_its_work(
    facts: StackFacts, age: timedelta, n_faults: int
) -> None:
    execution = {"executionArn": f"{MACHINE}:1", "stateMachineArn": MACHINE, "name": "1", "status": "RUNNING"}
    with Stubber(client("stepfunctions")) as answers:
        answers.add_response(
            "list_executions",
            {"executions": [{**execution, "startDate": NOW - age}]},
            {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"},
        )
        assert len(faults("executions", replace(facts, state_machine_arns=[MACHINE]))) == n_faults


def test_a_quota_of_zero_and_one_that_is_not_listed(facts: StackFacts) -> None:
    with limits(training=0):
        (fault,) = faults("quotas of jobs", facts)
    assert "'ml.m5.large for training job usage' is 0" in fault.message
    with limits():
        assert len(faults("quotas of jobs", replace(facts, training_instance_type="ml.x9.huge"))) == 2


@pytest.mark.parametrize(("concurrency", "n_faults"), [(MIN_CONCURRENCY, 0), (10, 1)])
def test_the_concurrency_of_a_new_account(facts: StackFacts, concurrency: int, n_faults: int) -> None:
    with limits(concurrency=concurrency):
        assert len(faults("concurrency", facts)) == n_faults


def test_logs_of_jobs_that_are_kept_for_ever(facts: StackFacts) -> None:
    logs = client("logs")
    for name in ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/lambda/other"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName="/aws/sagemaker/ProcessingJobs", retentionInDays=90)
    (fault,) = faults("log retention", facts)
    assert "--log-group-name /aws/sagemaker/TrainingJobs" in fault.remedy


def test_a_champion_that_the_layers_cannot_load(facts: StackFacts) -> None:
    stopped = StoppedChampion("g", "v1.0.0", "scikit-learn 1.8.0 (installed: 1.9.0; needed: 1.8.x)")
    (fault,) = faults("champions", replace(facts, stopped_champions=lambda: [stopped]))
    assert fault.message.startswith("g v1.0.0 does not score: it was made with scikit-learn 1.8.0")
    assert fault.remedy.startswith("`mlops retrain g`")


def test_a_check_that_is_not_permitted_is_a_fault_and_the_others_go_on(facts: StackFacts) -> None:
    with limits(), Stubber(client("logs")) as logs:
        logs.add_client_error("describe_log_groups", "AccessDeniedException", "not authorized")
        diagnoses = examine(facts)
    assert len(diagnoses) == len(CHECKS)
    (fault,) = (entry for entry in diagnoses if entry.is_fault)
    assert (fault.check, fault.message[:13]) == ("log retention", "Not checked: ")


def test_the_command_ends_with_1_when_something_needs_a_person(
    facts: StackFacts, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    monkeypatch.setattr("mlops.cli.operations.doctor.context_of", lambda _: StackContext({}))
    monkeypatch.setattr("mlops.cli.operations.stack_examination._facts", lambda *_: facts)
    usage = UsageFacts({}, FilesystemObjects(tmp_path), "MLOps/m", {}, {}, 0.0, NOW)
    monkeypatch.setattr("mlops.cli.operations.stack_examination._usage", lambda *_: usage)
    with limits():
        assert main(["doctor", "--stack", "mlops"]) == 0
    printed = capsys.readouterr().out
    assert "fault" not in printed
    assert "ok     cost of the month: Since 2026-11-01: 0 trainings $0.0000," in printed
    assert "ok     champions\n" in printed
    with limits(concurrency=10):
        assert main(["doctor", "--stack", "mlops", "--json"]) == 1
    (fault,) = (entry for entry in json.loads(capsys.readouterr().out) if entry["is_fault"])
    assert fault["check"] == "concurrency"


def test_plain_files_need_no_doctor(capsys) -> None:
    assert main(["doctor"]) == 2
    assert "name a stack with --stack" in capsys.readouterr().err
