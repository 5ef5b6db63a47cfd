"""Fixtures that every layer of tests shares."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# a slow example on a busy machine is no finding; the same examples everywhere make failures repeat
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")

REPOSITORY = Path(__file__).resolve().parents[1]


# folders whose tests share something that takes long to start
_SHARING = ("e2e",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, when several processes run the tests, what shares a fixture: a file, or a folder."""
    tests = REPOSITORY / "tests"
    for item in (item for item in items if item.path.is_relative_to(tests)):
        folder = item.path.relative_to(tests).parts[0]
        item.add_marker(pytest.mark.xdist_group(folder if folder in _SHARING else item.nodeid.split("::")[0]))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch):
    """moto in place of AWS, with credentials that are worth nothing."""
    from moto import mock_aws

    from mlops.infrastructure.aws.clients import client

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client.cache_clear()
    with mock_aws():
        yield
    client.cache_clear()


@pytest.fixture
def atomic_dynamodb(monkeypatch: pytest.MonkeyPatch) -> None:
    """One DynamoDB request at a time: moto's transactions are not atomic under threads, the service's are."""
    from moto.dynamodb.responses import DynamoHandler

    lock, call_action = threading.Lock(), DynamoHandler.call_action

    def call_action_alone(handler: DynamoHandler) -> object:
        with lock:
            return call_action(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", call_action_alone)


@pytest.fixture
def registry_table(aws: None, atomic_dynamodb: None) -> str:
    """An empty registry table, as the template makes it."""
    return create_table("registry", "pk", "sk")


def create_table(
    name: str, partition: str, sort: str, *, index: tuple[str, str] | None = None, dynamodb: Any = None
) -> str:
    """Create a table with string keys in whatever answers as DynamoDB, and return its name.

    `index` is the name and the key of a secondary index.
    """
    from mlops.infrastructure.aws.clients import client

    attributes = (partition, sort, *((index[1],) if index else ()))
    secondary = {}
    if index:
        key = [{"AttributeName": index[1], "KeyType": "HASH"}]
        described = {"IndexName": index[0], "KeySchema": key, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        secondary = {"GlobalSecondaryIndexes": [described]}
    (dynamodb or client("dynamodb")).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in attributes],
        **secondary,
    )
    return name
