"""What may happen to a run: pure functions from the run before to the run after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mlops.models.errors import ExperimentError
from mlops.models.experiment import MetricPoint, Run, RunArtifact, RunFailure, RunStatus


def require_running(run: Run) -> Run:
    """Return the run if it goes on.

    Raises
    ------
    ExperimentError
        If it has ended; only tags may change after that.
    """
    if run.status is not RunStatus.RUNNING:
        raise ExperimentError(f"The run {run.run_id} has {run.status}; start a new run to log more.")
    return run


def require_ending(status: RunStatus | str) -> RunStatus:
    """Return the status a run can end with.

    Raises
    ------
    ExperimentError
        If it is another one.
    """
    text = str(status).lower()  # MLflow writes FINISHED and FAILED
    if text not in (RunStatus.FINISHED, RunStatus.FAILED):
        raise ExperimentError(f"A run ends as finished or failed, not as {text!r}.")
    return RunStatus(text)


def with_params(run: Run, params: Mapping[str, Any]) -> Run:
    """Add params; the same value again changes nothing.

    Raises
    ------
    ExperimentError
        If one has another value already, or the run has ended.
    """
    for name, value in params.items():
        if name in run.params and not _is_same(run.params[name], value):
            raise ExperimentError(
                f"The param {name!r} is {run.params[name]!r} in run {run.run_id} and cannot become "
                f"{value!r}; params never change, use a tag or a new run."
            )
    return replace(require_running(run), params={**run.params, **params})


def with_tags(run: Run, tags: Mapping[str, str]) -> Run:
    """Set tags, also of a run that has ended."""
    return replace(run, tags={**run.tags, **tags})


def with_artifacts(run: Run, artifacts: Sequence[RunArtifact]) -> Run:
    """Add artifacts; one of the same path takes the place of the one before."""
    kept = {artifact.path: artifact for artifact in (*run.artifacts, *artifacts)}
    return replace(require_running(run), artifacts=tuple(kept.values()))


def with_points(run: Run, points: Sequence[MetricPoint]) -> Run:
    """Take over the points that are newer than what the run shows."""
    newest = dict(run.newest)
    for point in points:
        before = newest.get(point.name)
        if before is None or (point.step, point.at) >= (before.step, before.at):
            newest[point.name] = point
    return replace(require_running(run), newest=newest)


def ended(run: Run, status: RunStatus, at: datetime, failure: RunFailure | None) -> Run:
    """End the run; one that has ended stays as it is."""
    if run.status is not RunStatus.RUNNING:
        return run
    return replace(run, status=status, ended_at=at, failure=failure)


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of one type: Python takes 1, 1.0 and True for equal."""
    return type(one) is type(other) and bool(one == other)
