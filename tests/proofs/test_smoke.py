"""`make smoke` against a local cloud: it uses a new stack as a person would, and leaves nothing of it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.cloud import LocalCloud, local_cloud
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
        yield running


@contextmanager
def a_person_who_confirms(cloud: LocalCloud) -> Iterator[None]:
    """Confirm the subscriptions when their emails arrive."""
    is_over = threading.Event()

    def confirm() -> None:
        while not is_over.is_set():
            cloud.confirm_subscriptions()
            time.sleep(0.5)

    person = threading.Thread(target=confirm)
    person.start()
    try:
        yield
    finally:
        is_over.set()
        person.join()


def smoke(cloud: LocalCloud) -> subprocess.CompletedProcess[str]:
    command = ["make", "smoke", "STACK=mlops-smoke", "APPROVER=tester@example.com"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=cloud.environment(), capture_output=True, text=True, check=False
    )


def what_is_left(cloud: LocalCloud) -> list[str]:
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    names = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    names += [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    names += cloud.client("dynamodb").list_tables()["TableNames"]
    names += cloud.client("sqs").list_queues().get("QueueUrls", [])
    return [name for name in names if "mlops-smoke" in name]


def test_a_new_stack_is_used_and_nothing_of_it_is_left(cloud: LocalCloud) -> None:
    with a_person_who_confirms(cloud):
        done = smoke(cloud)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "medication-adherence v1.0.0 was approved on its page" in done.stdout
    assert "rows were scored" in done.stdout
    assert what_is_left(cloud) == []
