"""The jobs of this process and their lives: statuses, transitions, and what Describe returns."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from local.sagemaker.errors import SageMakerError, validation_error

Kind = Literal["Training", "Processing"]
Status = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
_FINAL_STATUSES = ("Completed", "Failed", "Stopped")


@dataclass(slots=True)
class Job:
    """One job, changed by its own thread under `lock` and read by all."""

    kind: Kind
    name: str
    arn: str
    request: dict[str, Any]
    directory: Path
    created_at: datetime
    status: Status = "InProgress"
    secondary_status: str = "Starting"
    transitions: list[dict[str, Any]] = field(default_factory=list)
    modified_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    final_metrics: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def role_arn(self) -> str:
        """The role whose credentials the job has."""
        return str(self.request["RoleArn"])

    @property
    def is_isolated(self) -> bool:
        """Whether the container has no network, and so no credentials either."""
        network = self.request if self.kind == "Training" else self.request.get("NetworkConfig") or {}
        return bool(network.get("EnableNetworkIsolation"))

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in _FINAL_STATUSES

    def enter(self, secondary_status: str, message: str, status: Status | None = None) -> None:
        """Go on to the next secondary status, and to the next status when there is one."""
        with self.lock:
            now = datetime.now(UTC)
            if self.transitions:
                self.transitions[-1]["EndTime"] = now
            entered = {"Status": secondary_status, "StartTime": now, "StatusMessage": message}
            if status in _FINAL_STATUSES:
                entered["EndTime"] = now
            self.transitions.append(entered)
            self.secondary_status = secondary_status
            self.status = status or self.status
            self.modified_at = now

    def seconds_running(self) -> int:
        """Return how long it ran so far, in whole seconds, at least one."""
        if self.started_at is None:
            return 0
        return max(1, round(((self.ended_at or datetime.now(UTC)) - self.started_at).total_seconds()))


_jobs: dict[tuple[Kind, str], Job] = {}
_registering = threading.Lock()


def register(job: Job) -> None:
    """Add a job; a name is used once per account and region, for ever."""
    with _registering:
        if (job.kind, job.name) in _jobs:
            raise SageMakerError(
                "ResourceInUse", f"{job.kind} job names must be unique within an AWS account: {job.arn}"
            )
        _jobs[job.kind, job.name] = job


def find_job(kind: Kind, name: str) -> Job:
    """Return a job by name."""
    job = _jobs.get((kind, name))
    if job is None:
        raise validation_error("Requested resource not found.")
    return job


def find_by_arn(arn: str) -> Job:
    """Return a job by ARN."""
    for job in all_jobs():
        if job.arn == arn:
            return job
    raise validation_error(f"Requested resource not found: {arn}")


def all_jobs(kind: Kind | None = None) -> list[Job]:
    """Return the jobs in the order of their creation."""
    return [job for job in list(_jobs.values()) if kind in (None, job.kind)]


def forget_all() -> None:
    """Ask every job to stop and forget them."""
    for job in all_jobs():
        job.stop_requested.set()
    _jobs.clear()
