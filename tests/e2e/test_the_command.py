"""The command `mlops` on the deployed stack, after the other tests, as a person types it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from local.cloud import HttpAnswer
from local.stack import STACK_NAME, DeployedStack, wait
from mlops.cli.main import main
from mlops.infrastructure.aws.clients import client
from mlops.links.signing_keys import REREADING_SECONDS
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.training import EvaluationMetrics
from mlops.registry.model_registry import ModelRegistry
from tests.e2e.approvals import operating, rollback_link
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e

SERVED = "served"


@pytest.fixture
def mlops(
    stack: DeployedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """Type a command for the stack and return what it prints."""
    for name, value in stack.cloud.variables().items():
        monkeypatch.setenv(name, value)
    client.cache_clear()

    def type_in(*words: str) -> str:
        code = main([*words, "--stack", STACK_NAME])
        printed = capsys.readouterr()
        assert (code, printed.err) in ((0, ""), (3, "")), printed
        return printed.out

    yield type_in
    client.cache_clear()


@pytest.fixture
def events_of_the_bus(stack: DeployedStack) -> Callable[[], list[dict]]:
    """A queue behind a rule like the one in docs/reference/events.md; call it for what has arrived since."""
    sqs, events = stack.cloud.client("sqs"), stack.cloud.client("events")
    url = sqs.create_queue(QueueName="champion-changes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["mlops"], "detail-type": ["ChampionChanged"], "detail": {"group": [SERVED]}}
    events.put_rule(Name="champion-changes", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="champion-changes", Targets=[{"Id": "queue", "Arn": arn}])
    return lambda: [json.loads(m["Body"]) for m in sqs.receive_message(QueueUrl=url).get("Messages", [])]


def serve_two(stack: DeployedStack, registry: ModelRegistry) -> None:
    bucket = stack.outputs["ArtifactBucketName"]
    for number in range(2):
        key = f"training/{SERVED}/{number}/output/model.tar.gz"
        client("s3").put_object(Bucket=bucket, Key=key, Body=f"model {number}".encode())
        model = registry.register_model(
            SERVED, f"s3://{bucket}/{key}", EvaluationMetrics(), {}, f"d{number}", "Ridge"
        )
        baseline = BaselineStatistics(features={}, n_rows=10, schema_hash="s").to_json().encode()
        place = f"models/{SERVED}/{model.version}/baseline_statistics.json"
        client("s3").put_object(Bucket=bucket, Key=place, Body=baseline)  # the nightly check looks for it
        registry.approve_model(SERVED, model.version)
        registry.promote_model(SERVED, model.version)


def test_one_command_rolls_back_and_notifies_people(
    stack: DeployedStack, mlops: Callable[..., str], events_of_the_bus: Callable[[], list[dict]]
) -> None:
    registry = ModelRegistry(use_dynamodb=True, table_name=stack.outputs["RegistryTableName"])
    serve_two(stack, registry)
    message = mlops("rollback", SERVED, "--reason", "wrong unit", "--from", "v1.0.1")
    assert message == "v1.0.0 is in service again; it replaces v1.0.1.\n"
    champion = registry.champion(SERVED)
    assert champion is not None
    assert champion.version == "v1.0.0"
    last = json.loads(mlops("audit", SERVED, "--format", "jsonl").splitlines()[-1])
    assert (last["by"], last["reason"]) == ("arn:aws:iam::000000000000:root", "wrong unit")
    (event,) = wait(lambda: events_of_the_bus() or None, "the event of the rollback", 30)
    assert event["detail"]["version"] == "v1.0.0"
    assert event["detail"]["previous_champion"] == "v1.0.1"
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("Rolled back: served"), "rollback")
    assert "wrong unit" in mail["body"]
    metrics = stack.cloud.client("cloudwatch").list_metrics(MetricName="ChampionsRolledBack")["Metrics"]
    assert {"Name": "ModelGroup", "Value": SERVED} in [d for m in metrics for d in m["Dimensions"]]


def test_what_happened_on_the_stack_is_there_to_look_at(
    stack: DeployedStack, mlops: Callable[..., str], champion: Walk, checked_for_drift: dict
) -> None:
    assert GROUP in mlops("groups")
    assert "Champion" in mlops("versions", GROUP)
    shown = json.loads(mlops("show", GROUP, "champion", "--json"))
    assert shown["version"] == champion.version
    actions = [entry["action"] for entry in shown["history"]]
    assert actions[actions.index("approve") :][:2] == ["approve", "promote"]  # answers to alerts may follow
    assert "replayed, they give the registry" in mlops("audit", GROUP)
    (dataset,) = json.loads(mlops("datasets", "list", GROUP, "--json"))
    assert dataset["dataset_id"] == shown["dataset_version"]
    json.loads(mlops("runs", "list", "--json"))
    assert json.loads(mlops("drift", GROUP, "--json"))["model_version"] == champion.version


def test_trainings_are_runs_whatever_came_of_them(
    mlops: Callable[..., str], champion: Walk, hopeless_candidate: Walk, failed_training: Walk
) -> None:
    assert {GROUP, "noise", "hollow"} <= set(mlops("runs", "list").split())
    (passed,) = json.loads(mlops("runs", "list", GROUP, "--json"))
    assert (passed["tags"]["model_version"], passed["tags"]["gate"]) == ("v1.0.0", "passed")
    (refused,) = json.loads(mlops("runs", "list", "noise", "--json"))
    assert (refused["status"], refused["tags"]["gate"]) == ("finished", "rejected")
    (failed,) = json.loads(mlops("runs", "list", "hollow", "--json"))
    assert (failed["status"], failed["failure"]["error_type"]) == ("failed", "TrainingError")
    assert failed["failure"]["message"] in mlops("runs", "show", "hollow", failed["run_id"])
    assert passed["run_id"] in mlops("runs", "compare", GROUP)


def test_a_dead_letter_is_handed_on_again(mlops: Callable[..., str], dead_letter: str) -> None:
    letters = wait(
        lambda: json.loads(mlops("replay", "UploadDeadLetterQueue", "--json")) or None, "the dead letter", 90
    )
    assert "ReceiveUpload" in letters[0]["function"]
    assert mlops("replay", "UploadDeadLetterQueue") == "UploadDeadLetterQueue: empty\n"


def test_after_a_rotation_old_links_and_new_ones_open_at_once(
    stack: DeployedStack, mlops: Callable[..., str], rolled_back: tuple[dict, HttpAnswer]
) -> None:
    def keys(name: str = "Approval") -> dict[str, str]:
        secret = stack.outputs[f"{name}SigningSecretArn"]
        return json.loads(client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])

    old_link = rollback_link(rolled_back[0])
    assert stack.cloud.request("GET", old_link).status == 200  # the page has read the keys
    before, before_of_results = keys()["current"], keys("Result")["current"]
    assert "keep working" in mlops("rotate-key")
    assert keys()["previous"] == before
    assert keys("Result")["previous"] == before_of_results
    assert len(keys()["current"]) == 64
    assert keys()["current"] != before
    with operating(stack) as operator:
        champion = operator.registry.champion("ways").version
        (other,) = {"v1.0.0", "v1.0.1"} - {champion}
        new_link = operator.rollback_link("ways", champion, other)
    time.sleep(REREADING_SECONDS)  # the page looks for new keys at most this often
    assert [stack.cloud.request("GET", link).status for link in (new_link, old_link)] == [200, 200]
