"""Export of runs: what a real MLflow server shows afterwards, and what is said when there is none."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlops.experiment.mlflow.export import export_runs
from mlops.experiment.mlflow.server import Credentials, MlflowServer
from mlops.models.errors import MlflowError, TrainingError
from mlops.models.experiment import RunDataset
from tests.unit.experiment.mlflow_process import installed_mlflow, mlflow_server
from tests.web_server import Handler, serving

GROUP = "adherence"


@pytest.fixture(scope="session")
def mlflow_programs() -> Path:
    if "PROOFS" not in os.environ:
        pytest.skip("long: `make prove` runs it")
    return installed_mlflow()


@pytest.fixture(scope="module")
def address(mlflow_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(mlflow_programs, tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def export(tracker, address, request):
    """Export all runs of the group into an experiment named after the test."""

    def export():
        runs = tracker.list_runs(GROUP)[::-1]
        return export_runs(
            runs,
            lambda run: tracker.history(run.group, run.run_id),
            MlflowServer(address),
            experiment=request.node.name,
        )

    return export


def a_finished_run(tracker) -> None:
    dataset = RunDataset("train.csv", "d" * 64, "s3://data/train.csv")
    with tracker.start_run(
        GROUP, name="first try", params={"depth": 3, "max features": 1.0}, dataset=dataset
    ) as run:
        run.log_param("an/invalid:param!", [1, None])
        for step in range(3):
            run.log_metric("loss", 1 / (step + 1), step=step)
        run.log_metrics({"roc_auc": 0.75, "broken": math.nan})
        run.set_tag("gate", "rejected")
        run.log_text("text", "notes/a.txt")


def shown_by_mlflow(programs: Path, address: str, run_id: str) -> dict:
    """Ask MLflow's own client, which needs eight seconds to be imported."""
    code = """
import json, mlflow, sys
client = mlflow.MlflowClient(sys.argv[1])
run = client.get_run(sys.argv[2])
print(json.dumps({
    **run.data.to_dictionary(),
    "status": run.info.status,
    "name": run.info.run_name,
    "milliseconds": run.info.end_time - run.info.start_time,
    "history": sorted((point.step, point.value) for point in client.get_metric_history(sys.argv[2], "loss")),
    "inputs": [f"{entry.dataset.name} {entry.dataset.digest}" for entry in run.inputs.dataset_inputs],
}))
"""
    command = [programs / "python", "-W", "ignore", "-c", code, address, run_id]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def stored_by_mlflow(address: str, run_id: str) -> dict:
    """Read the run back over REST."""
    server = MlflowServer(address)
    run = server.get("runs/get", {"run_id": run_id})["run"]
    history = server.get("metrics/get-history", {"run_id": run_id, "metric_key": "loss"})
    return {
        "status": run["info"]["status"],
        "params": {param["key"]: param["value"] for param in run["data"].get("params", ())},
        "tags": {tag["key"]: tag["value"] for tag in run["data"]["tags"]},
        "history": [(point["step"], point["value"]) for point in history.get("metrics", ())],
    }


@pytest.mark.mlflow
def test_mlflow_shows_a_run_as_it_was(tracker, export, mlflow_programs, address):
    a_finished_run(tracker)
    (exported,) = export()
    shown = shown_by_mlflow(mlflow_programs, address, exported.mlflow_run_id)
    assert (shown["status"], shown["name"]) == ("FINISHED", "first try")
    kept = tracker.get_run(GROUP, "run-1")
    assert shown["milliseconds"] == kept.duration_seconds * 1000
    assert shown["params"] == {"depth": "3", "max features": "1.0", "an/invalid_param_": "[1, None]"}
    assert shown["metrics"]["loss"] == pytest.approx(1 / 3)
    assert shown["metrics"]["roc_auc"] == 0.75
    assert math.isnan(shown["metrics"]["broken"])
    assert shown["history"] == [[0, 1.0], [1, 0.5], [2, pytest.approx(1 / 3)]]
    assert shown["inputs"] == [f"train.csv {'d' * 36}"]
    assert shown["tags"]["gate"] == "rejected"
    assert shown["tags"]["mlops.run_id"] == "run-1"
    assert shown["tags"]["mlops.artifact.notes/a.txt"] == kept.artifacts[0].uri


@pytest.mark.mlflow
def test_a_failed_run_is_a_failed_run_with_its_error(tracker, export, address):
    with pytest.raises(TrainingError), tracker.start_run(GROUP):
        raise TrainingError("No target.")
    (exported,) = export()
    shown = stored_by_mlflow(address, exported.mlflow_run_id)
    assert shown["status"] == "FAILED"
    assert (shown["tags"]["mlops.error_type"], shown["tags"]["mlops.error_message"]) == (
        "TrainingError",
        "No target.",
    )


@pytest.mark.mlflow
def test_a_second_export_writes_only_what_has_changed(tracker, export, address):
    a_finished_run(tracker)
    a_finished_run(tracker)
    first = export()
    assert [run.was_written for run in first] == [True, True]
    assert [run.was_written for run in export()] == [False, False]
    tracker.set_tags(GROUP, "run-2", {"model_version": "v1.0.0"})
    third = export()
    assert [run.was_written for run in third] == [False, True]
    assert [run.mlflow_run_id for run in third] == [run.mlflow_run_id for run in first]
    shown = stored_by_mlflow(address, first[1].mlflow_run_id)
    assert shown["tags"]["model_version"] == "v1.0.0"
    assert len(shown["history"]) == 3


@pytest.mark.mlflow
def test_an_export_that_was_cut_short_is_completed_without_doubles(
    tracker, address, request, mlflow_programs
):
    class CutShort(MlflowServer):
        def post(self, method, document):
            if method == "runs/update":
                raise MlflowError("The line is cut.")
            return super().post(method, document)

    a_finished_run(tracker)
    runs = tracker.list_runs(GROUP)

    def export(server):
        return export_runs(
            runs, lambda run: tracker.history(GROUP, run.run_id), server, experiment=request.node.name
        )

    with pytest.raises(MlflowError, match="cut"):
        export(CutShort(address))
    (exported,) = export(MlflowServer(address))
    assert exported.was_written
    shown = stored_by_mlflow(address, exported.mlflow_run_id)
    assert (shown["status"], len(shown["history"])) == ("FINISHED", 3)


@pytest.mark.mlflow
def test_long_histories_and_many_params_go_in_as_many_requests_as_they_need(tracker, export, address):
    params = {f"param{number:03d}": "x" * 100 for number in range(210)}
    with tracker.start_run(GROUP, params=params) as run:
        for step in range(1100):
            run.log_metric("loss", step, step=step)
    (exported,) = export()
    shown = stored_by_mlflow(address, exported.mlflow_run_id)
    assert (len(shown["params"]), len(shown["history"])) == (210, 1100)


@pytest.mark.mlflow
def test_a_deleted_experiment_is_named(tracker, export, address, request):
    a_finished_run(tracker)
    export()
    server = MlflowServer(address)
    experiment = server.get("experiments/get-by-name", {"experiment_name": request.node.name})
    server.post("experiments/delete", {"experiment_id": experiment["experiment"]["experiment_id"]})
    with pytest.raises(MlflowError, match="is deleted; restore it"):
        export()


def test_a_server_that_does_not_run_is_named(tracker):
    with pytest.raises(MlflowError, match=r"127\.0\.0\.1:9 does not answer .*is it running"):
        MlflowServer("http://127.0.0.1:9").get("experiments/get-by-name", {"experiment_name": "x"})


@pytest.mark.parametrize("address", ["file:///etc/passwd", "127.0.0.1:5000", "ftp://x", "http://", ""])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(MlflowError, match="is not the address of an MLflow server"):
        MlflowServer(address)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>", "is not an MLflow server"),
        (500, b'{"message": "disk full"}', r"refused \(500\): disk full"),
        (403, b"no entry", r"refused \(403\): no entry"),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', "does not have what runs/create asks for"),
    ],
)
def test_what_a_server_says_no_with_is_passed_on(status, body, message):
    with answering(status, body) as (address, _), pytest.raises(MlflowError, match=message):
        MlflowServer(address).post("runs/create", {})


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(), None),
        (Credentials(mlflow_tracking_token="t"), "Bearer t"),
        (Credentials(mlflow_tracking_username="ada", mlflow_tracking_password="p"), "Basic YWRhOnA="),
    ],
)
def test_requests_are_signed_as_mlflow_expects(credentials, header):
    with answering(200, b"{}") as (address, requests):
        MlflowServer(address + "/", credentials=credentials).post("runs/create", {"a": 1})
    assert requests == [("/api/2.0/mlflow/runs/create", header)]


@contextmanager
def answering(status: int, body: bytes):
    """A server with one answer to everything: its address, and the list of its requests."""
    requests: list[tuple[str, str | None]] = []

    class Server(Handler):
        def reply(self, _: bytes) -> None:
            requests.append((self.path, self.headers["Authorization"]))
            self.answer(status, body)

    with serving(Server) as address:
        yield address, requests
