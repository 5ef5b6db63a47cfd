"""Runs: what was tried, on which data and code, and with what result, also where it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from mlops.models.record import Record

Origin = Literal["local", "sagemaker"]


class RunStatus(StrEnum):
    """Where a run is; a process that was killed leaves its run `running`."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class MetricPoint(Record):
    """One logged value; `value` is None where it was not a finite number, such as a diverged loss."""

    name: str
    value: float | None
    step: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RunDataset(Record):
    """The data that a run learned from: its name among people and the digest of its bytes."""

    dataset_id: str
    digest: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class RunArtifact(Record):
    """A file of a run; `path` is its name within the run, `uri` where it is stored."""

    path: str
    uri: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RunFailure(Record):
    """Why a run failed. `message` is kept of our own errors only: others may quote the data."""

    error_type: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Run(Record):
    """One run, but for the history of its metrics and the content of its artifacts.

    `params` hold JSON values and never change once logged. `newest` is the newest point of each metric: that
    of the highest step, and of the latest time within it. `revision` counts the changes of the record from 0.
    """

    run_id: str
    group: str
    name: str
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    origin: Origin = "local"
    params: Mapping[str, Any] = field(default_factory=dict)
    newest: Mapping[str, MetricPoint] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    dataset: RunDataset | None = None
    code_digest: str | None = None
    artifacts: tuple[RunArtifact, ...] = ()
    failure: RunFailure | None = None
    revision: int = 0

    @property
    def metrics(self) -> dict[str, float | None]:
        """The newest value of each metric, in the order of first logging."""
        return {name: point.value for name, point in self.newest.items()}

    @property
    def duration_seconds(self) -> float | None:
        """How long the run took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None
