"""An upgrade from release 0.2 while executions run: they keep their definition and call the new functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from mlops.approval.watch_approvals import watch_requests
from mlops.infrastructure.aws.clients import client
from mlops.models.registry import Status
from tests.conftest import create_table
from tests.functions.approval_stage import BASE_URL, GROUP, Stage, a_tar, moto_with_executions
from tests.functions.parts_stage import PartsStage
from tests.functions.scoring_stage import call, scoring_variables
from tests.functions.test_register_model import documents
from tests.infrastructure import template as t
from tests.statemachine.definition import Definition
from tests.statemachine.walker import Walk

DATA = Path(__file__).parents[1] / "data" / "release_0_2"
MACHINES = ("train_model", "run_inference", "validate_parts")
VERSION = "v1.0.1"


def definition(name: str) -> Definition:
    return Definition.load(DATA / "statemachine" / f"{name}.asl.json")


def event(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return document


def function_of(arguments: dict[str, Any]) -> str:
    """`${PromoteModelFunctionArn}` -> `promote_model`."""
    return t.snake_case(arguments["FunctionName"].strip("${}").removesuffix("Arn"))


def tasks(run: Callable[[str, dict[str, Any]], Any]) -> Callable[[str, dict[str, Any]], Any]:
    """Tasks of a walk that calls functions only; their results become JSON on the way."""

    def task(resource: str, arguments: dict[str, Any]) -> Any:
        assert ":lambda:invoke" in resource
        return {"Payload": json.loads(json.dumps(run(function_of(arguments), arguments["Payload"])))}

    return task


# ── An approval in flight ──────────────────────────────────────────


class UpgradedStage(Stage):
    """A stack that release 0.2 has written, in which v1.0.1 waits for its approval."""

    def __init__(self) -> None:
        super().__init__()
        self.old = json.loads((DATA / "in_flight.json").read_text(encoding="utf-8"))
        self.link: str = self.old["link"]
        self.rotate(current=self.old["signing_key"])
        self.subscribe("ada@example.com")
        self._store_artifact(**self.old["artifact"])
        for name, items in self.old["tables"].items():
            for item in items:
                client("dynamodb").put_item(TableName=name, Item=item)
        self.execution_arn, token = self.start_waiting("waits")
        request = self.request_of(VERSION)
        assert request.execution_arn == self.execution_arn
        sealed = self.service.seal(request, json.dumps(self.old["sealed"] | {"task_token": token}))
        for item in json.loads(json.dumps(self.old["tables"]["approvals"]).replace(request.sealed, sealed)):
            client("dynamodb").put_item(TableName="approvals", Item=item)
        self.clock.moment = request.created_at

    def _store_artifact(self, key: str, content: str, version_id: str) -> None:
        client("s3").put_object(Bucket="artifacts", Key=key, Body=content.encode())
        (stored,) = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets["artifacts"].keys.getlist(key)
        stored._version_id = version_id  # the links are bound to it

    def walk(self) -> Walk:
        """The old execution, with what it knows when it waits."""
        variables = {"group": GROUP, "version": VERSION, "summary": "A summary.", "prepared": {}, "job": {}}
        return Walk(definition("train_model"), tasks(self.call), variables=variables)

    def call(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        return self.handle(import_module(f"functions.{name}.app"), payload)

    def answer(self, choice: str) -> Walk:
        """Answer through the old link, and let the old execution go on with what it is sent."""
        assert self.post(self.link, decision=choice, version=VERSION, reason="read")["statusCode"] == 303
        walk = self.walk()
        walk.variables["approval"] = json.loads(self.execution("waits")["output"])
        walk.go(start="Approved?")
        return walk


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch, atomic_dynamodb: None):
    with moto_with_executions(monkeypatch):
        for name in ("registry", "policies"):
            create_table(name, "pk", "sk")
        create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
        yield UpgradedStage()


def test_the_page_behind_an_old_link_shows_the_candidate(upgraded):
    page = upgraded.http_request(upgraded.link)
    assert page["statusCode"] == 200
    assert VERSION in page["body"]
    assert 'value="approved"' in page["body"]


def test_an_approval_in_flight_becomes_the_champion(upgraded):
    walk = upgraded.answer("approved")
    assert walk.path == ["Approved?", "Promote model", "Mail promotion", "Model approved"]
    assert upgraded.registry.champion(GROUP).version == VERSION
    assert walk.variables["previousChampion"] == "v1.0.0"
    assert upgraded.emails()[-1]["subject"].startswith(f"{GROUP} {VERSION}")
    assert len(upgraded.registry.check_audit(GROUP)) > 0


def test_a_rejection_in_flight_closes_the_candidate(upgraded):
    assert upgraded.answer("rejected").path[-1] == "Rejected by reviewer"
    assert upgraded.registry.get_model(GROUP, VERSION).status is Status.REJECTED
    assert upgraded.registry.champion(GROUP).version == "v1.0.0"


def test_an_approval_in_flight_expires(upgraded):
    assert upgraded.walk().go(start="Expire model") == "Approval expired"
    assert upgraded.registry.get_model(GROUP, VERSION).status is Status.EXPIRED


def test_a_reminder_of_a_request_in_flight_has_a_link_that_works(upgraded):
    upgraded.clock.advance(days=60)
    before = len(upgraded.emails())
    assert watch_requests(upgraded.completion, upgraded.mailer, [].append).faults == ()
    (reminder,) = upgraded.emails()[before:]
    link = next(line for line in reminder["body"].splitlines() if line.startswith(BASE_URL))
    assert upgraded.http_request(link)["statusCode"] == 200


def test_a_newer_candidate_supersedes_the_one_in_flight(upgraded):
    upgraded.ask(upgraded.register(dataset_version="d3"), run="newer")
    walk = upgraded.walk()
    walk.variables["approval"] = json.loads(upgraded.execution("waits")["output"])
    assert walk.go(start="Approved?") == "Superseded by a newer candidate"
    assert upgraded.registry.get_model(GROUP, VERSION).status is Status.SUPERSEDED


# ── Other executions that run during the upgrade ──────────────────────────────────────────


@pytest.mark.parametrize("name", MACHINES)
def test_an_old_definition_calls_functions_that_its_role_may_still_call(name):
    (machine,) = [m for m in t.resources("AWS::Serverless::StateMachine") if t.snake_case(m) == name]
    allowed = {
        resource.removesuffix(".Arn")
        for owner, statement in t.statements_of_roles()
        if owner == machine and "lambda:InvokeFunction" in t.actions(statement)
        for resource in t.reached(statement)
    }
    called = {place.removesuffix("Arn") for place in definition(name).placeholders if "FunctionArn" in place}
    assert called <= allowed


class TrainingInFlight:
    """A training from its input to the champion; the job and the answer of the approver are made up."""

    def __init__(self, stage: Stage, source: Path) -> None:
        self.stage, self.jobs = stage, []
        stage.subscribe("ada@example.com")
        stage.variables |= {
            "TRAINING_INSTANCE_TYPE": "ml.m5.large",
            "TRAINING_SOURCE_DIRECTORY": str(source),
            "TRAINING_TIMEOUT_SECONDS": "3600",
        }
        arn, self.token = stage.start_waiting("trains")
        self.context = {
            "Execution": {"Id": arn, "Name": "trains"},
            "State": {"RetryCount": 0},
            "Task": {"Token": self.token},
        }

    def task(self, resource: str, arguments: dict[str, Any]) -> Any:
        if "createTrainingJob" in resource:
            return self.finish(arguments)
        answer = self.stage.handle(
            import_module(f"functions.{function_of(arguments)}.app"), arguments["Payload"]
        )
        if "waitForTaskToken" not in resource:
            return {"Payload": json.loads(json.dumps(answer))}
        link = next(line for line in self.stage.emails()[-1]["body"].splitlines() if BASE_URL in line)
        assert self.stage.post(link)["statusCode"] == 303
        return json.loads(self.stage.execution("trains")["output"])

    def finish(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.jobs.append(arguments)
        folder = f"{arguments['OutputDataConfig']['S3OutputPath'].removeprefix('s3://artifacts/')}job/output"
        for name, content in (("output", a_tar(documents())), ("model", b"a model")):
            client("s3").put_object(Bucket="artifacts", Key=f"{folder}/{name}.tar.gz", Body=content)
        job: dict[str, Any] = event("register_model")["training_job"]
        return job | {"ModelArtifacts": {"S3ModelArtifacts": f"s3://artifacts/{folder}/model.tar.gz"}}


def test_a_training_in_flight_becomes_the_champion(stage, tmp_path):
    (tmp_path / "train.py").write_text("print('train')")
    training = TrainingInFlight(stage, tmp_path)
    document = event("prepare_training") | {"validation": event("register_model")["validation"]}
    walk = Walk(definition("train_model"), training.task, context=training.context)
    assert walk.go(document) == "Model approved"
    assert walk.path[2:5] == ["Prepare training", "A job for each trial?", "Train model"]
    (job,) = training.jobs
    assert job["TrainingJobName"].startswith("medication-adherence-b7c1d9e2f4a6-")
    assert stage.registry.champion(GROUP).version == "v1.0.0"


def test_a_failure_in_flight_is_explained_by_the_email_of_the_old_definition(stage):
    stage.variables["RETRY_BASE_URL"] = "https://api.example.com/retries"
    published: list[dict[str, Any]] = []

    def task(resource: str, arguments: dict[str, Any]) -> Any:
        if "FunctionName" not in arguments:
            published.append(arguments)
            return {}
        app = import_module(f"functions.{function_of(arguments)}.app")
        return {"Payload": json.loads(json.dumps(stage.handle(app, arguments["Payload"])))}

    old = event("explain_failure")
    variables = {
        "group": old["group"],
        "failure": old["failure"],
        "prepared": old["prepared"],
        "job": old["job"],
    }
    variables |= {"datasetId": old["dataset_id"], "settings": old["settings"]}
    walk = Walk(
        definition("train_model"), task, variables=variables, context={"Execution": {"Id": "arn:old"}}
    )
    walk.go(start="Explain failure")
    assert walk.definition.states[walk.path[-1]]["Type"] == "Fail"
    assert "What to do: " in published[-1]["Message"]
    assert stage.emails(stage.notifications) == []  # one failure, one email


def test_a_file_in_flight_is_scored(scoring_event):
    request = event("run_inference")
    request["model"], request["upload"] = scoring_event["model"], scoring_event["upload"]
    variables = scoring_variables()
    walk = Walk(definition("run_inference"), tasks(lambda name, payload: call(name, payload, variables)))
    request["upload"]["size_bytes"] = 1
    assert walk.go(request) == "Predictions ready"
    assert walk.path[2] == "Run inference"


def test_parts_in_flight_become_a_dataset(parts_stage: PartsStage):
    upload = parts_stage.drop_folder()["upload"]
    walk = Walk(
        definition("validate_parts"),
        tasks(parts_stage.call),
        read_items=lambda place: parts_stage.read_json({"bucket": place["Bucket"], "key": place["Key"]}),
    )
    assert walk.go({"group": GROUP, "upload": upload}) == "Parts decided"
    assert len(parts_stage.trainings()) == 1
