"""Many threads in many processes on one group: no version is lost, and never none or two champions.

`make prove` runs 20 rounds of 64 on either store, the suite one of 16.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import local_cloud
from local.cloud import LocalCloud
from mlops.infrastructure.aws.clients import client
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate, GroupState, Status
from mlops.models.training import EvaluationMetrics
from mlops.registry.audit import replay
from mlops.registry.model_registry import ModelRegistry
from tests.conftest import create_table
from tests.proofs.processes import fresh_processes

pytestmark = pytest.mark.e2e

EXTENT = os.environ.get("PROOFS", "some")  # some, hour or full
ROUNDS = {"some": 1, "hour": 5, "full": 20}[EXTENT]
N_PROCESSES, N_THREADS = 8, 2 if EXTENT == "some" else 8
N = N_PROCESSES * N_THREADS


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of its own."""
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(params=["files", "dynamodb"])
def place(request, tmp_path: Path, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the registry is: a directory, or the word `table`."""
    if request.param == "files":
        yield str(tmp_path)
        return
    for name, value in cloud.variables().items():
        monkeypatch.setenv(name, value)
    client.cache_clear()
    if "registry" not in client("dynamodb").list_tables()["TableNames"]:
        create_table("registry", "pk", "sk")
    yield "table"
    client.cache_clear()


def open_registry(place: str) -> ModelRegistry:
    if place == "table":
        return ModelRegistry(use_dynamodb=True, table_name="registry", actor="racer")
    return ModelRegistry(root=place, actor="racer")


def register(registry: ModelRegistry, group: str, number: int) -> None:
    """Register, and register again as a job that is redelivered does."""
    artifact = Artifact("s3://b/k", f"{number:064x}")
    candidate = Candidate("Ridge", {}, EvaluationMetrics(), f"d{number}", artifact)
    first = registry.register(group, candidate, job_key=f"job-{number}")
    again = registry.register(group, candidate, job_key=f"job-{number}")
    assert (first.is_new, again.is_new) == (True, False)


def promote(registry: ModelRegistry, group: str, number: int) -> None:
    version = f"v1.0.{number}"
    registry.approve_model(group, version)
    registry.promote_model(group, version)


def race(action: str, place: str, group: str, process: int, variables: dict[str, str]) -> None:
    """Let the threads of one process loose at once."""
    os.environ.update(variables)
    registry, barrier = open_registry(place), threading.Barrier(N_THREADS)
    run = {"register": register, "promote": promote}[action]

    def one(thread: int) -> None:
        barrier.wait()
        run(registry, group, process * N_THREADS + thread)

    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(one, range(N_THREADS)))


def in_all_processes(action: str, place: str, group: str, cloud: LocalCloud) -> None:
    context = fresh_processes()
    processes = [
        context.Process(target=race, args=(action, place, group, number, cloud.variables()), daemon=True)
        for number in range(N_PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0] * N_PROCESSES


@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_version_is_lost_and_there_is_one_champion(place, cloud, number) -> None:
    group, registry, done = f"round-{number}", open_registry(place), threading.Event()
    seen: list[int] = []

    def watch() -> None:
        while not done.wait(0.01):
            champion, models = registry.champion(group), registry.list_models(group)
            n_champions = sum(model.status is Status.CHAMPION for model in models)
            assert n_champions == 1 or (champion is None and not any(seen)), n_champions
            assert [model.number for model in models] == list(range(1, len(models) + 1))
            seen.append(n_champions)

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            in_all_processes("register", place, group, cloud)
            in_all_processes("promote", place, group, cloud)
        finally:
            done.set()
        watcher.result()
    models = registry.list_models(group)
    assert [model.version for model in models] == [f"v1.0.{patch}" for patch in range(N)]
    assert len({model.artifact.sha256 for model in models}) == N
    state = replay(registry.check_audit(group))
    assert state.group_state == GroupState(N, f"v1.0.{N - 1}", state.group_state.champion, 3 * N)
    assert seen[-1] <= 1
