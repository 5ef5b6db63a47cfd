"""The parts of plain files, of a stack and of a function: built once, on first use, and replaceable."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlops.context.context import open_context, open_stack
from mlops.context.dependencies import Dependencies
from mlops.context.files import FilesContext
from mlops.context.stack import StackContext
from mlops.infrastructure.aws.account.cloudformation import Stack
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.models.errors import SettingsError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.training import EvaluationMetrics

VARIABLES = {
    "APPROVAL_TABLE_NAME": "approvals",
    "ARTIFACT_BUCKET_NAME": "artifacts",
    "EVENT_BUS_NAME": "default",
    "METRICS_NAMESPACE": "n",
    "NOTIFICATION_TOPIC_ARN": "arn:topic",
    "TASK_TOKEN_KEY_ARN": "arn:key",
}


@pytest.fixture
def context(registry_table: str) -> StackContext:
    return StackContext(VARIABLES | {"REGISTRY_TABLE_NAME": registry_table}, actor="ada")


def test_a_part_is_built_once(context: StackContext) -> None:
    assert context.registry is context.registry
    assert context.approvals.registry is context.rollbacks.registry is context.registry


def test_a_part_that_was_replaced_is_used_by_the_parts_that_need_it(
    context: StackContext, tmp_path: Path
) -> None:
    objects = FilesystemObjects(tmp_path)
    context.objects = objects
    assert context.rollbacks.objects is context.datasets.objects is context.drift_archive.objects is objects


def test_the_clock_and_the_actor_reach_the_registry(registry_table: str) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    variables = VARIABLES | {"REGISTRY_TABLE_NAME": registry_table}
    dependencies = Dependencies("register_model", variables, now=lambda: at)
    candidate = Candidate("Ridge", {}, EvaluationMetrics(), "d", Artifact("s3://a/m", "0" * 64))
    dependencies.registry.register("g", candidate)
    (entry,) = dependencies.registry.audit("g")
    assert (entry.by, entry.at, dependencies.approvals.now()) == ("register_model", at, at)


def test_nothing_is_read_before_a_part_is_used_and_a_missing_variable_is_named(aws: None) -> None:
    dependencies = Dependencies("decide_approval", {})
    with pytest.raises(SettingsError, match="REGISTRY_TABLE_NAME is not set"):
        _ = dependencies.registry


def test_a_function_reads_the_environment_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    dependencies = Dependencies("receive_upload")
    monkeypatch.setenv("ARTIFACT_BUCKET_NAME", "later")
    assert dependencies.artifact_bucket == "later"


@pytest.mark.parametrize(
    ("variables", "limits"),
    [
        ({}, (50, 2 * 1024**3)),
        ({"MIN_ROWS": "7", "MAX_UPLOAD_BYTES": "100"}, (7, 100)),
    ],
)
def test_limits_are_those_of_the_deployment(variables: dict[str, str], limits: tuple[int, int]) -> None:
    actual = Dependencies("receive_upload", variables).limits
    assert (actual.min_rows, actual.max_expanded_bytes) == limits


def test_without_a_stack_the_parts_are_plain_files(tmp_path: Path) -> None:
    context = open_context(tmp_path)
    assert isinstance(context, FilesContext)
    assert context.registry.groups() == []
    assert context.runs.groups() == []
    assert context.datasets.list_datasets("g") == ()


def test_the_outputs_of_a_stack_name_the_resources_of_its_context(aws: None) -> None:
    names = [field.name for field in dataclasses.fields(Stack)]
    outputs = [{"OutputKey": name.title().replace("_", ""), "OutputValue": f"the {name}"} for name in names]
    described = {"Stacks": [{"Outputs": outputs}]}
    context = open_stack("mlops", cloudformation=SimpleNamespace(describe_stacks=lambda **_: described))
    assert context.artifact_bucket == "the artifact_bucket_name"
    assert context.approvals.key_arn == "the platform_key_arn"
    assert context.approval_mailer.base_url == "the approval_url"
    assert context.variable("TRAIN_MODEL_STATE_MACHINE_ARN") == "the train_model_state_machine_arn"
