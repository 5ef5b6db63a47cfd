"""`make smoke` against a local cloud: it uses a new stack as a person would, and leaves nothing of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from deployment.smoke import main
from local.cloud import LocalCloud, local_cloud

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")

ARGUMENTS = ["--stack", "mlops-smoke", "--approver", "tester@example.com"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with (
        local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in running.environment().items():
            patch.setenv(name, value)
        yield running


@contextmanager
def a_person_who_confirms(cloud: LocalCloud) -> Iterator[None]:
    """Confirm the subscription when its email arrives."""
    is_over = threading.Event()

    def confirm() -> None:
        while not is_over.is_set() and not cloud.confirm_subscriptions():
            time.sleep(0.5)

    person = threading.Thread(target=confirm)
    person.start()
    try:
        yield
    finally:
        is_over.set()
        person.join()


def smoke(cloud: LocalCloud) -> int:
    def browse(url: str, form: Mapping[str, str] | None) -> tuple[int, str]:
        method, body = ("GET", None) if form is None else ("POST", urlencode(form).encode())
        answer = cloud.request(method, url, body, {"Content-Type": "application/x-www-form-urlencoded"})
        return answer.status, answer.text

    return main(ARGUMENTS, browse=browse, poll_seconds=0.5)


def what_is_left(cloud: LocalCloud) -> list[str]:
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    buckets = cloud.client("s3").list_buckets()["Buckets"]
    names = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    names += [bucket["Name"] for bucket in buckets]
    names += cloud.client("dynamodb").list_tables()["TableNames"]
    names += cloud.client("sqs").list_queues().get("QueueUrls", [])
    return [name for name in names if "mlops-smoke" in name]


def test_a_new_stack_is_used_and_removed(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    with a_person_who_confirms(cloud):
        code = smoke(cloud)
    printed = capsys.readouterr()
    assert code == 0, printed.out + printed.err
    assert "v1.0.0 was approved on its page" in printed.out
    assert what_is_left(cloud) == []


def test_a_failure_leaves_nothing_either(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployment.walk.MINUTES_TO_CONFIRM", 0)
    assert smoke(cloud) == 1  # no one confirms
    assert "there was no confirmation" in capsys.readouterr().err
    assert what_is_left(cloud) == []
