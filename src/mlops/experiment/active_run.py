"""A run while it is going on, with the verbs of MLflow."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat

from mlops.experiment import changes
from mlops.experiment.history import write_points
from mlops.experiment.names import require_name, require_path
from mlops.experiment.store import RunStore
from mlops.experiment.values import failure_of, flatten, metric_value
from mlops.models.errors import ExperimentError
from mlops.models.experiment import MetricPoint, Run, RunArtifact, RunDataset, RunFailure, RunStatus

FLUSH_POINTS = 1000
FLUSH_AFTER = timedelta(seconds=5)
# so that a run of ten hours has 150 files of metrics, not 7,200
FLUSH_SHARE = 0.05


class ActiveRun:
    """A run that is being logged; made by `ExperimentTracker.start_run`.

    Params, tags and artifacts are stored at once. Metrics are stored together: every five seconds (after two
    minutes every twentieth of the run's time), every thousand values, and at the end; a process that is
    killed loses at most those. One object may be used by several threads.

    As a context manager it ends the run: `finished`, or `failed` with the type of the exception, which
    goes on.
    """

    def __init__(self, store: RunStore, run: Run, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._run = run
        self._files = store.files(run.group, run.run_id)
        self._now = now
        self._points: list[MetricPoint] = []
        self._flushed_at = now()
        self._lock = threading.RLock()

    @property
    def run(self) -> Run:
        """The run as it was last stored."""
        return self._run

    @property
    def run_id(self) -> str:
        """The identity of the run within its group."""
        return self._run.run_id

    def log_param(self, name: str, value: Any) -> None:
        """Log one param; see `log_params`."""
        self.log_params({name: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log what the run was started with; nested mappings become `outer.inner`.

        Raises
        ------
        ExperimentError
            If a param was logged with another value before, or is longer than 6,000 characters.
        """
        flat = dict(flatten(params))
        self._change(lambda run: changes.with_params(run, flat))

    def log_metric(self, name: str, value: SupportsFloat, step: int = 0) -> None:
        """Log one value; see `log_metrics`."""
        self.log_metrics({name: value}, step)

    def log_metrics(self, metrics: Mapping[str, SupportsFloat], step: int = 0) -> None:
        """Log values of one step of the run, such as an epoch; NaN and infinity are kept as "no number".

        Raises
        ------
        ExperimentError
            If a value is not a number.
        """
        at = self._now()
        points = [
            MetricPoint(require_name(name, "metric"), metric_value(name, value), int(step), at)
            for name, value in metrics.items()
        ]
        with self._lock:
            changes.require_running(self._run)
            self._points.extend(points)
            if len(self._points) >= FLUSH_POINTS or at - self._flushed_at >= self._patience(at):
                self.flush()

    def set_tag(self, name: str, value: Any) -> None:
        """Set one tag; see `set_tags`."""
        self.set_tags({name: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set notes that may change later, as text."""
        texts = {require_name(name, "tag"): str(value) for name, value in tags.items()}
        self._change(lambda run: changes.with_tags(run, texts))

    def log_dataset(self, dataset: RunDataset) -> None:
        """Say which data the run learned from."""
        self._change(lambda run: replace(changes.require_running(run), dataset=dataset))

    def log_artifact(self, local_path: str | Path, artifact_path: str = "") -> tuple[RunArtifact, ...]:
        """Keep a copy of a file, or of every file in a directory, below the folder `artifact_path`.

        Raises
        ------
        ExperimentError
            If there is nothing at the path.
        """
        local = Path(local_path)
        files = sorted(path for path in local.rglob("*") if path.is_file()) if local.is_dir() else [local]
        if not files or not files[0].is_file():
            raise ExperimentError(f"There is no file to log at {local}; write it first.")
        folder = f"{artifact_path.strip('/')}/" if artifact_path.strip("/") else ""
        kept = tuple(self._keep(path, folder + path.relative_to(local.parent).as_posix()) for path in files)
        self._change(lambda run: changes.with_artifacts(run, kept))
        return kept

    def log_text(self, text: str, artifact_path: str) -> RunArtifact:
        """Keep a text as a file of the run."""
        content = text.encode()
        uri = self._files.write(f"artifacts/{require_path(artifact_path)}", content)
        artifact = RunArtifact(artifact_path, uri, len(content), hashlib.sha256(content).hexdigest())
        self._change(lambda run: changes.with_artifacts(run, (artifact,)))
        return artifact

    def log_dict(self, document: Any, artifact_path: str) -> RunArtifact:
        """Keep a document as a JSON file of the run."""
        return self.log_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", artifact_path)

    def flush(self) -> None:
        """Store the metrics that are still held back."""
        with self._lock:
            points, self._flushed_at = tuple(self._points), self._now()
            if not points:
                return
            write_points(self._files, points)
            self._change(lambda run: changes.with_points(run, points))
            self._points.clear()

    def end_run(self, status: RunStatus | str = RunStatus.FINISHED, failure: RunFailure | None = None) -> Run:
        """End the run and return it as it is kept; a run that has ended stays as it is.

        Raises
        ------
        ExperimentError
            If `status` is not an ending.
        """
        ending = changes.require_ending(status)
        with self._lock:
            if self._run.status is RunStatus.RUNNING:
                self.flush()
                ended_at = self._now()
                self._change(lambda run: changes.ended(run, ending, ended_at, failure))
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.end_run()
            return
        try:
            self.end_run(RunStatus.FAILED, failure_of(error))
        except Exception as second:  # noqa: BLE001  the caller must see what went wrong first
            error.add_note(f"The run {self.run_id} could not be marked as failed: {second}")

    def _patience(self, at: datetime) -> timedelta:
        """Return how long metrics may wait for company."""
        return max(FLUSH_AFTER, (at - self._run.started_at) * FLUSH_SHARE)

    def _change(self, change: Callable[[Run], Run]) -> None:
        with self._lock:
            self._run = self._store.update(self._run.group, self._run.run_id, change)

    def _keep(self, local: Path, path: str) -> RunArtifact:
        with local.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        uri = self._files.upload(local, f"artifacts/{require_path(path)}")
        return RunArtifact(path, uri, local.stat().st_size, digest)
