"""Buckets and tables of a removed stack: how they are found, and what CloudFormation is asked to import."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError
from botocore.stub import ANY, Stubber

from deployment import __main__ as command
from deployment.account import Account, Deployed
from deployment.adoption import Removed, adopt, adoptable, find_removed, import_template, removed_of
from deployment.errors import DeploymentError
from deployment.template import read_template

REPOSITORY = Path(__file__).resolve().parents[3]
FACTS = read_template(REPOSITORY / "template.yaml")
TEMPLATE = FACTS.document
STARTED = datetime(2026, 3, 1, tzinfo=UTC)


def references(node: Any) -> Iterator[str]:
    """Every name that a part of a template refers to, in any form."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("Ref", "Condition"):
                yield value
            elif key == "Fn::If":
                yield value[0]
            yield from references(value)
            assert key not in ("Fn::GetAtt", "Fn::Sub"), node
    for value in node if isinstance(node, list) else ():
        yield from references(value)


def test_what_is_imported_has_all_parameters_and_refers_to_nothing_else() -> None:
    names = adoptable(TEMPLATE)
    kept = {name for name, each in TEMPLATE["Resources"].items() if "DeletionPolicy" in each}
    assert set(names) == kept
    part = import_template(TEMPLATE, names)
    assert set(part["Resources"]) == kept
    assert part["Parameters"] == TEMPLATE["Parameters"]  # the stack keeps what a deployment states once
    assert set(references(part)) <= {*part["Parameters"], *part["Conditions"], "AWS::NoValue"}
    for name, resource in part["Resources"].items():
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        whole = TEMPLATE["Resources"][name]["Properties"]
        expected = None if names[name] == "AWS::S3::Bucket" else whole
        assert resource.get("Properties") == expected  # the deployment sets those of buckets again
    assert len(json.dumps(part)) < 51_200  # what CloudFormation takes in a request


@dataclass
class Stacks:
    """CloudFormation with removed stacks, the oldest first: the events of each, the newest first."""

    events: list[list[tuple[str, str, str]]] = field(default_factory=list)

    def get_paginator(self, operation: str) -> Any:
        pages = {"list_stacks": self._list, "describe_stack_events": self._events}
        return Namespace(paginate=lambda **options: [pages[operation](**options)])

    def describe_stacks(self, **options: str) -> dict[str, Any]:
        values = {"MinRows": "80", "WebhookUrl": "****", "Gone": "1", "Day": options["StackName"]}
        parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
        return {"Stacks": [{"Parameters": parameters}]}

    def _list(self, **options: Any) -> dict[str, Any]:
        assert options == {"StackStatusFilter": ["DELETE_COMPLETE"]}
        days = [
            {"StackName": "mlops", "StackId": f"id-{day}", "CreationTime": STARTED + timedelta(days=day)}
            for day in range(len(self.events))
        ]
        return {"StackSummaries": [{**days[0], "StackName": "others", "StackId": "id-x"}, *days]}

    def _events(self, **options: str) -> dict[str, Any]:
        events = self.events[int(options["StackName"].removeprefix("id-"))]
        kinds = {**adoptable(TEMPLATE), "Alarm": "AWS::CloudWatch::Alarm"}
        return {
            "StackEvents": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": physical,
                    "ResourceStatus": status,
                    "ResourceType": kinds[name],
                }
                for name, status, physical in events
            ]
        }


def session_of(stacks: Stacks) -> Any:
    return Namespace(client=lambda _: stacks, region_name="eu-west-1")


OLD = [("DataBucket", "DELETE_SKIPPED", "data-old")]
NEW = [
    ("DataBucket", "DELETE_SKIPPED", "data-new"),
    ("Alarm", "DELETE_COMPLETE", "alarm"),
    ("RegistryTable", "DELETE_SKIPPED", "registry-new"),
    ("ArtifactBucket", "DELETE_COMPLETE", "artifacts-new"),
    ("DataBucket", "DELETE_SKIPPED", "data-replaced"),
]


def test_the_newest_removed_stack_that_left_something_is_taken() -> None:
    removed = find_removed(session_of(Stacks([OLD, NEW, []])), "mlops", TEMPLATE)
    assert removed is not None
    assert removed.resources == {"DataBucket": "data-new", "RegistryTable": "registry-new"}
    # neither what the new template does not have, nor what CloudFormation does not show
    assert removed.parameters == {"MinRows": "80"}
    assert removed.outputs == {"RegistryTableName": "registry-new"}
    assert find_removed(session_of(Stacks([[]])), "mlops", TEMPLATE) is None


def test_names_may_be_given_and_unknown_ones_are_refused() -> None:
    removed = Removed({"DataBucket": "a"}, {"MinRows": "80"})
    assert removed_of("yes", removed, TEMPLATE) == removed
    named = removed_of("DataBucket=b RegistryTable=c", removed, TEMPLATE)
    assert named == Removed({"DataBucket": "b", "RegistryTable": "c"}, {"MinRows": "80"})
    with pytest.raises(DeploymentError, match="names of DataBucket, ArtifactBucket, RegistryTable"):
        removed_of("Bucket=b", removed, TEMPLATE)
    with pytest.raises(DeploymentError, match="within 90 days: name them, such as ADOPT='DataBucket="):
        removed_of("yes", None, TEMPLATE)


def test_an_existing_stack_takes_nothing_over_and_a_first_one_says_what_was_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Account(session_of(Stacks([NEW])))
    with pytest.raises(DeploymentError, match="exists already: leave ADOPT out"):
        command.removed_stack("yes", account, "mlops", Deployed({}, {}), FACTS)
    assert command.removed_stack("", account, "mlops", Deployed({}, {}), FACTS) is None
    assert capsys.readouterr().out == ""
    assert command.removed_stack("", account, "mlops", None, FACTS) is None
    assert "left data-new, registry-new: ADOPT=yes goes on with them" in capsys.readouterr().out
    assert command.removed_stack("yes", account, "mlops", None, FACTS) is not None


class Waiters:
    """Waiters that end at once."""

    def __init__(self, last_response: Mapping[str, Any] | None = None) -> None:
        self.last_response = last_response
        self.names: list[str] = []

    def __call__(self, name: str) -> Any:
        self.names.append(name)
        return self

    def wait(self, **_: Any) -> None:
        if self.last_response:
            raise WaiterError(self.names[-1], "failed", self.last_response)


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Stubber]:
    session = boto3.Session("test", "test", region_name="eu-west-1")
    client = session.client("cloudformation")
    monkeypatch.setattr(session, "client", lambda _: client)
    return session, Stubber(client)


def test_an_import_names_each_resource_and_every_parameter_of_the_template(
    importing: tuple[Any, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, answers = importing
    waiters = Waiters()
    monkeypatch.setattr(session.client("cloudformation"), "get_waiter", waiters)
    change = {"StackName": "mlops", "ChangeSetName": ANY}
    answers.add_response(
        "create_change_set",
        {},
        {
            **change,
            "ChangeSetType": "IMPORT",
            "TemplateBody": ANY,
            "Parameters": [
                {"ParameterKey": "MinRows", "ParameterValue": "80"},
                {"ParameterKey": "KmsKeyArn", "ParameterValue": "arn:key"},
            ],
            "ResourcesToImport": [
                {
                    "ResourceType": "AWS::S3::Bucket",
                    "LogicalResourceId": "DataBucket",
                    "ResourceIdentifier": {"BucketName": "data-1"},
                },
                {
                    "ResourceType": "AWS::DynamoDB::Table",
                    "LogicalResourceId": "RegistryTable",
                    "ResourceIdentifier": {"TableName": "registry-1"},
                },
            ],
        },
    )
    answers.add_response("execute_change_set", {}, change)
    names = {"DataBucket": "data-1", "RegistryTable": "registry-1"}
    with answers:
        adopt(session, "mlops", TEMPLATE, names, {"KmsKeyArn": "arn:key", "MinRows": "80", "Gone": "1"})
    assert waiters.names == ["change_set_create_complete", "stack_import_complete"]
    answers.assert_no_pending_responses()


def test_why_an_import_failed_is_the_sentence_of_cloudformation(
    importing: tuple[Any, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, answers = importing
    waiters = Waiters({"Status": "FAILED", "StatusReason": "data-1 already exists in stack others"})
    monkeypatch.setattr(session.client("cloudformation"), "get_waiter", waiters)
    answers.add_response("create_change_set", {})
    with (
        answers,
        pytest.raises(DeploymentError, match="cannot be taken over: data-1 already exists in stack"),
    ):
        adopt(session, "mlops", TEMPLATE, {"DataBucket": "data-1"}, {})
