"""A stack that was removed comes back by `make deploy ADOPT=yes`, with its data and its champion."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from deployment.approver_queue import approver_queue
from deployment.walk import GROUP, Walk
from local.cloud import LocalCloud, local_cloud
from local.deploy import outputs
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore
from tests.conftest import REPOSITORY
from tests.proofs.test_deployment import make_deploy, parameters

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")
APPROVER = "tester@example.com"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    with local_cloud(directory=tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def session(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    for name, value in cloud.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return boto3.Session()


def registry_of(session: boto3.Session, stack: Mapping[str, str]) -> ModelRegistry:
    client: Any = session.client("dynamodb")
    return ModelRegistry(store=RegistryStore(DynamoDBTable(stack["RegistryTableName"], dynamodb=client)))


def remove(session: boto3.Session) -> None:
    cloudformation = session.client("cloudformation")
    cloudformation.delete_stack(StackName="mlops")
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName="mlops", WaiterConfig={"Delay": 1, "MaxAttempts": 300})


def test_a_removed_stack_comes_back_with_its_champion_and_scores(
    cloud: LocalCloud, session: boto3.Session
) -> None:
    example = REPOSITORY / "examples" / GROUP
    make_deploy(cloud, f"APPROVER={APPROVER}", "PARAMETERS=MinRows=80")
    first, before = outputs(cloud, "mlops"), parameters(cloud, "mlops")
    walk = Walk(session, first, example, poll_seconds=0.5)
    with approver_queue(session, "approver", first["ApprovalTopicArn"], APPROVER) as queue:
        cloud.confirm_subscriptions()
        walk.confirm(APPROVER)
        version = walk.train(queue)
    audit = registry_of(session, first).audit(GROUP)
    remove(session)

    make_deploy(cloud, "ADOPT=yes")
    second = outputs(cloud, "mlops")
    assert parameters(cloud, "mlops") == before
    kept = ("DataBucketName", "ArtifactBucketName", "RegistryTableName")
    assert [second[name] for name in kept] == [first[name] for name in kept]
    champion = registry_of(session, second).champion(GROUP)
    assert champion is not None
    assert champion.version == version
    assert registry_of(session, second).audit(GROUP) == audit
    Walk(session, second, example, poll_seconds=0.5).score()
