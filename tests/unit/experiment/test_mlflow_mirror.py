"""The live copy of runs in MLflow: what a small server gets, and that its faults change nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.experiment.factory import open_store
from mlops.experiment.local import local_runs
from mlops.experiment.mlflow.mirror import SECONDS_BETWEEN_COPIES, Mirror, MirrorSettings
from mlops.experiment.store import RunStore
from mlops.experiment.tracker import ExperimentTracker
from mlops.models.experiment import RunStatus
from tests.unit.experiment.mlflow_process import installed_mlflow, mlflow_server
from tests.unit.experiment.test_mlflow_export import stored_by_mlflow
from tests.web_server import Handler, serving


class FakeServer:
    """The part of MLflow's API that a copy needs, with the requests it got; `answer` can break it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.runs: list[dict[str, Any]] = []
        self.metrics: list[dict[str, Any]] = []
        self.broken: str | None = None

    def answer(self, method: str, document: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append(method)
        match method:
            case self.broken:
                return 500, {"message": "the disk is full"}
            case "experiments/get-by-name":
                return 200, {"experiment": {"experiment_id": "1", "name": document["experiment_name"]}}
            case "runs/search":
                return 200, {"runs": self.runs}
            case "runs/create":
                run = {"info": {"run_id": "m1"}, "data": {"tags": document["tags"]}}
                self.runs.append(run)
                return 200, {"run": run}
            case "runs/log-batch":
                self.metrics += document.get("metrics", [])
            case "runs/update":
                self.runs[0]["info"]["status"] = document["status"]
            case "runs/set-tag":
                self.runs[0]["data"]["tags"].append({"key": document["key"], "value": document["value"]})
        return 200, {}


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def address(fake: FakeServer) -> Iterator[str]:
    class Mlflow(Handler):
        def reply(self, body: bytes) -> None:
            document = json.loads(body or "{}")
            if name := self.path.partition("experiment_name=")[2]:
                document["experiment_name"] = name
            method = self.path.partition("/mlflow/")[2].partition("?")[0]
            status, answer = fake.answer(method, document)
            self.answer(status, json.dumps(answer).encode())

    with serving(Mlflow) as url:
        yield url


def mirrored(root: Path, address: str, **variables: str) -> RunStore:
    return open_store(root, variables={"MLFLOW_TRACKING_URI": address, **variables})


def train(store: RunStore, n_metrics: int = 3) -> None:
    with ExperimentTracker(store, new_id=lambda: "run-1").start_run("g", params={"depth": 3}) as run:
        for step in range(n_metrics):
            run.log_metric("loss", 1 / (step + 1), step=step)


def test_a_run_is_on_the_server_from_its_start_to_its_end(
    fake: FakeServer, address: str, tmp_path: Path
) -> None:
    store = mirrored(tmp_path, address)
    with ExperimentTracker(store).start_run("g") as run:
        assert fake.runs[0]["info"]["status"] == "RUNNING"
        run.log_metric("loss", 0.5)
    assert fake.runs[0]["info"]["status"] == "FINISHED"
    assert [(metric["key"], metric["value"]) for metric in fake.metrics] == [("loss", 0.5)]


def test_a_running_run_is_copied_at_most_every_ten_seconds(
    fake: FakeServer, address: str, tmp_path: Path
) -> None:
    now = [0.0]
    mirror = Mirror(MirrorSettings(address), clock=lambda: now[0])
    run = ExperimentTracker(local_runs(tmp_path, mirror=mirror)).start_run("g")
    n_calls = len(fake.calls)
    run.set_tag("step", "1")
    assert len(fake.calls) == n_calls
    now[0] = SECONDS_BETWEEN_COPIES
    run.set_tag("step", "2")
    assert len(fake.calls) > n_calls
    run.end_run()
    assert fake.runs[0]["info"]["status"] == "FINISHED"


@pytest.mark.parametrize(
    "method", ["experiments/get-by-name", "runs/create", "runs/log-batch", "runs/update"]
)
def test_a_fault_of_the_server_changes_nothing_about_the_run(
    method: str, fake: FakeServer, address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake.broken = method
    store = mirrored(tmp_path, address)
    train(store)
    stored = store.find("g", "run-1")
    assert (stored.status, stored.metrics["loss"]) == (RunStatus.FINISHED, pytest.approx(1 / 3))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "the disk is full" in warning
    assert f"mlops runs export g --to {address}" in warning
    n_calls = len(fake.calls)
    train_again = ExperimentTracker(store, new_id=lambda: "run-2").start_run("g")
    train_again.end_run()
    assert len(fake.calls) == n_calls, "a broken server is asked again"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "file:///tmp/mlruns", "databricks", "http://"])
def test_a_server_that_is_none_is_a_warning(
    address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = mirrored(tmp_path, address)
    train(store)
    assert store.find("g", "run-1").status is RunStatus.FINISHED
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 1


def test_a_failed_training_is_a_failed_run_on_the_server(
    fake: FakeServer, address: str, tmp_path: Path
) -> None:
    tracker = ExperimentTracker(mirrored(tmp_path, address))
    with pytest.raises(ZeroDivisionError), tracker.start_run("g"):
        _ = 1 / 0
    assert fake.runs[0]["info"]["status"] == "FAILED"


def test_nothing_is_copied_without_the_variable(fake: FakeServer, address: str, tmp_path: Path) -> None:
    train(open_store(tmp_path, variables={"MLFLOW_TRACKING_URI": ""}))
    assert fake.calls == []


@pytest.mark.mlflow
@pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")
def test_a_real_server_has_the_run(tmp_path: Path) -> None:
    with mlflow_server(installed_mlflow(), tmp_path) as address:
        train(mirrored(tmp_path / "runs", address, MLFLOW_EXPERIMENT_NAME="live"))
        from mlops.experiment.mlflow.server import MlflowServer

        server = MlflowServer(address)
        experiment = server.get("experiments/get-by-name", {"experiment_name": "live"})["experiment"]
        (run,) = server.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]})["runs"]
        shown = stored_by_mlflow(address, run["info"]["run_id"])
    assert (shown["status"], shown["params"], len(shown["history"])) == ("FINISHED", {"depth": "3"}, 3)
