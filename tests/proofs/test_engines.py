"""One large file through all three engines of the deployed stack: one result, byte by byte.

With `make prove` a million rows, with `PROOFS=full` five million; the walks of the suite score small files.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local import local_cloud
from local.stack import DeployedStack, deploy_application
from tests.e2e.walks import EXAMPLE, GROUP, train_and_decide

EXTENT = os.environ.get("PROOFS", "some")
N_ROWS = {"some": 0, "hour": 1_000_000, "full": 5_000_000}[EXTENT]
ENGINES = {"lambda": "Run inference", "map": "Merge ranges", "job": "Run inference in a job"}
TIMEOUT_SECONDS = 1_800

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not N_ROWS, reason="a large file is for `make prove`")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """A stack with the example's champion."""
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as cloud:
        stack = deploy_application(cloud)
        train_and_decide(stack, GROUP, (EXAMPLE / "train.csv").read_bytes(), settings(), "approved")
        yield stack


def settings(more: str = "") -> str:
    return (EXAMPLE / "model.toml").read_text() + more


def a_large_file() -> bytes:
    """Return the rows of the example again and again, each with a note that has a line end in quotes."""
    header, *rows = (EXAMPLE / "score.csv").read_bytes().splitlines()
    noted = b"".join(row + b',"seen\ntwice, once"\n' for row in rows)
    times, more = divmod(N_ROWS, len(rows))
    rest = b"".join(row + b',""\n' for row in rows[:more])
    return header + b",note\n" + noted * times + rest


def scored_by(engine: str, stack: DeployedStack, content: bytes) -> dict[str, Any]:
    """Return the manifest of the file as an engine scores it, and how long its execution took."""
    stack.drop(settings(f'[scoring]\nengine = "{engine}"\n').encode(), f"{GROUP}/model.toml")
    earlier = stack.executions("RunInference")
    stack.drop(content, f"{GROUP}/inference/{engine}.csv")
    execution = stack.wait_for_execution("RunInference", earlier, TIMEOUT_SECONDS)
    started = time.monotonic()
    states = stack.finish(execution, TIMEOUT_SECONDS)
    print(f"{engine}: {N_ROWS:,} rows in {time.monotonic() - started:.0f} s")
    assert states[-2:] == [ENGINES[engine], "Predictions ready"]
    described = stack.cloud.client("stepfunctions").describe_execution(executionArn=execution)
    batch_id = json.loads(described["input"])["batch_id"]
    manifest: dict[str, Any] = json.loads(stack.read(f"{stack.batch_folder(GROUP, batch_id)}/manifest.json"))
    return manifest


def test_all_engines_write_the_same_bytes_for_a_large_file(stack: DeployedStack) -> None:
    content = a_large_file()
    manifests = {engine: scored_by(engine, stack, content) for engine in ENGINES}
    assert [manifest["engine"] for manifest in manifests.values()] == list(ENGINES)
    assert {manifest["summary"]["n_rows"] for manifest in manifests.values()} == {N_ROWS}
    for name in ("predictions.csv", "data_quality.json", "batch_profile.json"):
        digests = {engine: manifest["files"][name]["sha256"] for engine, manifest in manifests.items()}
        assert len(set(digests.values())) == 1, (name, digests)
