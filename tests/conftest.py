"""Fixtures that every layer of tests shares."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# a slow example on a busy machine is not a failure; the same examples everywhere make failures repeat
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")

REPOSITORY = Path(__file__).resolve().parents[1]

# one thread for each process: the threads of two workers wait for each other on two cores (2.5 times the CPU)
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
    os.environ.setdefault(_variable, "1")

# the tests, and the processes that they start, have a row key of their own
os.environ["MLOPS_ROW_KEY_FILE"] = str(Path(tempfile.gettempdir()) / f"mlops-tests-{os.getuid()}" / "row-key")


# folders whose tests share something that takes long to start; they also run longest, in this order
_SHARING = ("tests/e2e/", "local/tests/")


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types here
    """Sends to one worker what shares a fixture: the tests of a folder of `_SHARING`, otherwise of a file.

    `--dist loadgroup` does the same by markers, but has no effect with pytest-xdist 3.8 on pytest 9: every
    test runs where there is room, and both workers start what is shared.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    return next((folder for folder in _SHARING if nodeid.startswith(folder)), nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Schedule by groups, in the order of collection, when several processes run the tests."""
    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start the longest group first when several processes run the tests, so that they end together."""
    if not hasattr(config, "workerinput"):
        return
    sizes = Counter(_group(item.nodeid) for item in items)

    def order(item: pytest.Item) -> tuple[int, int]:
        group = _group(item.nodeid)
        return _SHARING.index(group) if group in _SHARING else len(_SHARING), -sizes[group]

    items.sort(key=order)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def service_models():
    """Read the descriptions of AWS services once: moto gives each test a session, which reads its own."""
    from botocore import session

    original = session.create_loader
    session.create_loader = cache(original)
    yield
    session.create_loader = original


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
    """An empty registry table, as the template makes it, beside one for the policies."""
    create_table("policies", "pk", "sk")
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


@pytest.fixture(scope="session")
def chromium():
    """A headless browser; what needs it is skipped where there is none."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
        except Error:
            pytest.skip("no Chromium on this machine")
        yield browser
        browser.close()
