"""Export of runs to an MLflow tracking server.

Every exported run carries the tag `mlops.run_id`, and last of all `mlops.revision`: a second export finds
the run by the first, skips it when the second is up to date, and otherwise completes it. MLflow ignores
params and points that it has already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from mlops.experiment.mlflow.server import MlflowServer
from mlops.experiment.values import LONGEST_PARAM
from mlops.models.errors import MlflowError
from mlops.models.experiment import MetricPoint, Run, RunDataset, RunStatus
from mlops.models.record import Record

RUN_ID_TAG = "mlops.run_id"
REVISION_TAG = "mlops.revision"

# limits of one log-batch request
_METRICS_A_REQUEST = 1000
_ENTRIES_A_REQUEST = 100
_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36

_STATUS = {RunStatus.RUNNING: "RUNNING", RunStatus.FINISHED: "FINISHED", RunStatus.FAILED: "FAILED"}
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]", re.ASCII)

History = Callable[[Run], Sequence[MetricPoint]]


@dataclass(frozen=True, slots=True)
class ExportedRun(Record):
    """One run on the server; `was_written` is False when the server had it just so before."""

    run_id: str
    mlflow_run_id: str
    was_written: bool


def export_runs(
    runs: Sequence[Run], history: History, server: MlflowServer, *, experiment: str
) -> list[ExportedRun]:
    """Write the runs into an experiment of the server, which is made when absent.

    Parameters
    ----------
    history
        Gives every logged point of a run, such as `lambda run: tracker.history(run.group, run.run_id)`.

    Raises
    ------
    MlflowError
        If the server refuses something or does not answer. What was written by then stays; the next export
        completes it.
    """
    experiment_id = _experiment_id(server, experiment)
    return [_export(run, history, server, experiment_id) for run in runs]


def _experiment_id(server: MlflowServer, name: str) -> str:
    experiment = _find_experiment(server, name)
    if experiment is None:
        try:
            return str(server.post("experiments/create", {"name": name})["experiment_id"])
        except MlflowError as error:
            experiment = _find_experiment(server, name)  # another process may have created it
            if experiment is None:
                raise error from None
    if experiment.get("lifecycle_stage") == "deleted":
        raise MlflowError(f"The MLflow experiment {name!r} is deleted; restore it or choose another name.")
    return str(experiment["experiment_id"])


def _find_experiment(server: MlflowServer, name: str) -> Mapping[str, Any] | None:
    answer = server.get("experiments/get-by-name", {"experiment_name": name})
    return answer["experiment"] if answer else None


def _export(run: Run, history: History, server: MlflowServer, experiment_id: str) -> ExportedRun:
    exported = _find_run(server, experiment_id, run)
    if exported and _tags(exported).get(REVISION_TAG) == str(run.revision):
        return ExportedRun(run.run_id, exported["info"]["run_id"], was_written=False)
    mlflow_run_id = str((exported or _create_run(server, experiment_id, run))["info"]["run_id"])
    for batch in _batches(run, history(run)):
        server.post("runs/log-batch", {"run_id": mlflow_run_id, **batch})
    if run.dataset is not None:
        server.post("runs/log-inputs", {"run_id": mlflow_run_id, "datasets": [_dataset(run.dataset)]})
    ending = {"end_time": _milliseconds(run.ended_at)} if run.ended_at else {}
    server.post("runs/update", {"run_id": mlflow_run_id, "status": _STATUS[run.status], **ending})
    revision = {"run_id": mlflow_run_id, "key": REVISION_TAG, "value": str(run.revision)}
    server.post("runs/set-tag", revision)
    return ExportedRun(run.run_id, mlflow_run_id, was_written=True)


def _find_run(server: MlflowServer, experiment_id: str, run: Run) -> Mapping[str, Any] | None:
    query = {
        "experiment_ids": [experiment_id],
        "filter": f"tags.`{RUN_ID_TAG}` = '{run.run_id}'",  # ids have no quotes
        "max_results": 1,
    }
    matches: Sequence[Mapping[str, Any]] = server.post("runs/search", query).get("runs", ())
    return matches[0] if matches else None


def _create_run(server: MlflowServer, experiment_id: str, run: Run) -> Mapping[str, Any]:
    """Create the run with its tag in one request: if the response is lost, the next export finds it."""
    request = {
        "experiment_id": experiment_id,
        "run_name": run.name,
        "start_time": _milliseconds(run.started_at),
        "tags": [{"key": RUN_ID_TAG, "value": run.run_id}],
    }
    created: Mapping[str, Any] = server.post("runs/create", request)["run"]
    return created


def _batches(run: Run, points: Sequence[MetricPoint]) -> Iterator[dict[str, Any]]:
    params = [{"key": _name(name), "value": str(value)[:LONGEST_PARAM]} for name, value in run.params.items()]
    tags = [{"key": _name(name), "value": value[:_LONGEST_TAG]} for name, value in _notes(run).items()]
    metrics = [_metric(point) for point in points]
    yield from ({"params": list(batch)} for batch in batched(params, _ENTRIES_A_REQUEST))
    yield from ({"tags": list(batch)} for batch in batched(tags, _ENTRIES_A_REQUEST))
    yield from ({"metrics": list(batch)} for batch in batched(metrics, _METRICS_A_REQUEST))


def _notes(run: Run) -> dict[str, str]:
    """Return the tags, and as tags what MLflow has no field for."""
    notes = {**run.tags, "mlops.group": run.group, "mlops.origin": run.origin}
    if run.code_digest:
        notes["mlops.code_digest"] = run.code_digest
    if run.failure:
        notes["mlops.error_type"] = run.failure.error_type
        notes["mlops.error_message"] = run.failure.message
    return notes | {f"mlops.artifact.{artifact.path}": artifact.uri for artifact in run.artifacts}


def _dataset(dataset: RunDataset) -> dict[str, Any]:
    return {
        "dataset": {
            "name": dataset.dataset_id,
            "digest": (dataset.digest or dataset.dataset_id)[:_LONGEST_DIGEST],
            "source_type": "s3" if (dataset.uri or "").startswith("s3://") else "local",
            "source": dataset.uri or dataset.dataset_id,
        },
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
    }


def _metric(point: MetricPoint) -> dict[str, Any]:
    value: float | str = "NaN" if point.value is None else point.value
    timestamp = _milliseconds(point.at)
    return {"key": _name(point.name), "value": value, "timestamp": timestamp, "step": point.step}


def _tags(run: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["data"].get("tags", ())}


def _name(name: str) -> str:
    """Return the name with an underscore for each character that MLflow refuses."""
    return _NOT_IN_NAMES.sub("_", name)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
