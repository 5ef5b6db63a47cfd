"""Tuning jobs: training jobs one after another, so many at once, each with its own hyperparameters.

The service models how the objective hangs on the hyperparameters; here they are drawn at random from the
same ranges, whatever the strategy, by the seed of the request.
"""

import contextvars
import logging
import math
import os
import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from local.environment import CLOUD_DIRECTORY
from local.sagemaker.errors import SageMakerError, validation_error
from local.sagemaker.jobs import lifecycle
from local.sagemaker.jobs.events import publish_tuning_state
from local.sagemaker.jobs.job import Job, register

logger = logging.getLogger("local.sagemaker")

Status = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
MIN_ATTEMPTS = 5  # so many failed trials, and none that succeeded, end a tuning job
_POLL_SECONDS = 0.05
_MAX_DRAWS = 50  # of combinations that were drawn before
_COPIED_FIELDS = (
    *("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition", "VpcConfig"),
    *(
        "EnableManagedSpotTraining",
        "EnableNetworkIsolation",
        "CheckpointConfig",
        "Environment",
        "RetryStrategy",
    ),
)


@dataclass(slots=True)
class TuningJob:
    """One tuning job and its trials, changed by its own thread under `lock`."""

    name: str
    arn: str
    request: dict[str, Any]
    created_at: datetime
    modified_at: datetime
    status: Status = "InProgress"
    ended_at: datetime | None = None
    failure_reason: str | None = None
    trials: list[tuple[Job, dict[str, str]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def config(self) -> dict[str, Any]:
        """What is searched, and how."""
        config: dict[str, Any] = self.request["HyperParameterTuningJobConfig"]
        return config

    @property
    def definition(self) -> dict[str, Any]:
        """What the trials have in common."""
        definition: dict[str, Any] = self.request["TrainingJobDefinition"]
        return definition

    @property
    def metric_name(self) -> str:
        """The metric that is maximised or minimised."""
        return str(self.config["HyperParameterTuningJobObjective"]["MetricName"])

    def move(self, status: Status) -> None:
        """Enter a status and tell EventBridge."""
        with self.lock:
            self.status, self.modified_at = status, datetime.now(UTC)
            if status in ("Completed", "Failed", "Stopped"):
                self.ended_at = self.modified_at
        publish_tuning_state(self)

    def score(self, trial: Job) -> float | None:
        """Return the objective of a trial that ended well; None for any other."""
        values = {entry["MetricName"]: float(entry["Value"]) for entry in trial.final_metrics}
        return values.get(self.metric_name) if trial.status == "Completed" else None


_jobs: dict[str, TuningJob] = {}
_registering = threading.Lock()


def start(job: TuningJob) -> None:
    """Register and begin the job; returns at once."""
    with _registering:
        if job.name in _jobs:
            raise SageMakerError(
                "ResourceInUse", f"Tuning job names must be unique within an AWS account: {job.arn}"
            )
        _jobs[job.name] = job
    job.move("InProgress")
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_live, job), daemon=True, name=f"tuning-{job.name}").start()


def stop(job: TuningJob) -> None:
    """Ask the job to end, and every trial that runs."""
    with job.lock:
        if job.ended_at is not None:
            return
        if job.status != "Stopping":
            job.move("Stopping")
    job.stop_requested.set()


def find(name: str) -> TuningJob:
    """Return a tuning job by name."""
    job = _jobs.get(name)
    if job is None:
        raise SageMakerError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job named {name}.")
    return job


def find_by_arn(arn: str) -> TuningJob:
    """Return a tuning job by ARN."""
    for job in all_tuning_jobs():
        if job.arn == arn:
            return job
    raise validation_error(f"Requested resource not found: {arn}")


def all_tuning_jobs() -> list[TuningJob]:
    """Return the tuning jobs in the order of their creation."""
    return list(_jobs.values())


def forget_all() -> None:
    """Ask every tuning job to start no more trials, and forget them."""
    for job in all_tuning_jobs():
        job.stop_requested.set()
    _jobs.clear()


def _live(job: TuningJob) -> None:
    try:
        _run_trials(job)
        _conclude(job)
    except Exception as error:
        logger.exception("The tuning job %s ended by an error of the local cloud.", job.name)
        job.failure_reason = f"InternalServerError: {error}"
        job.move("Failed")
    finally:
        job.ended.set()


def _run_trials(job: TuningJob) -> None:
    limits = job.config["ResourceLimits"]
    rng = random.Random(job.config.get("RandomSeed"))
    while True:
        running = [trial for trial, _ in job.trials if not trial.is_final]
        is_stopped = job.stop_requested.is_set()
        is_over = (
            is_stopped or len(job.trials) >= limits["MaxNumberOfTrainingJobs"] or _has_only_failures(job)
        )
        if is_over and not running:
            return
        if is_stopped:
            for trial in running:
                lifecycle.stop(trial)
        if is_over or len(running) >= limits["MaxParallelTrainingJobs"]:
            running[0].ended.wait(_POLL_SECONDS)
        else:
            _start_trial(job, rng)


def _start_trial(job: TuningJob, rng: random.Random) -> None:
    tuned = draw_hyperparameters(
        job.config.get("ParameterRanges") or {}, rng, taken=[tuned for _, tuned in job.trials]
    )
    name = f"{job.name}-{len(job.trials) + 1:03d}-{uuid.UUID(int=rng.getrandbits(128)).hex[:8]}"
    request = {key: job.definition[key] for key in _COPIED_FIELDS if key in job.definition}
    request |= {
        "TrainingJobName": name,
        "AlgorithmSpecification": job.definition["AlgorithmSpecification"],
        "HyperParameters": {
            **job.definition.get("StaticHyperParameters", {}),
            **tuned,
            "_tuning_objective_metric": job.metric_name,
        },
        "TuningJobArn": job.arn,
    }
    directory = Path(os.environ[CLOUD_DIRECTORY]) / "tmp" / "jobs" / f"training-{name}"
    arn = job.arn.replace(f":hyper-parameter-tuning-job/{job.name}", f":training-job/{name}")
    trial = Job("Training", name, arn, request, directory, datetime.now(UTC), tags=dict(job.tags))
    register(trial)
    directory.mkdir(parents=True)
    with job.lock:
        job.trials.append((trial, tuned))
    lifecycle.start(trial)


def _has_only_failures(job: TuningJob) -> bool:
    ended = [trial for trial, _ in job.trials if trial.is_final]
    return len(ended) >= MIN_ATTEMPTS and all(job.score(trial) is None for trial in ended)


def _conclude(job: TuningJob) -> None:
    if job.stop_requested.is_set():
        job.move("Stopped")
    elif all(job.score(trial) is None for trial, _ in job.trials):
        job.failure_reason = (
            f"No training job succeeded after {len(job.trials)} attempts. Please take a look at the training "
            "job failures to get more details."
        )
        job.move("Failed")
    else:
        job.move("Completed")


def draw_hyperparameters(
    ranges: dict[str, Any], rng: random.Random, *, taken: list[dict[str, str]]
) -> dict[str, str]:
    """Return a combination of hyperparameters, as texts, as far as possible one that is not in `taken`."""
    for _ in range(_MAX_DRAWS):
        combination = _draw(ranges, rng)
        if combination not in taken:
            break
    return combination


def _draw(ranges: dict[str, Any], rng: random.Random) -> dict[str, str]:
    values = {}
    for entry in ranges.get("IntegerParameterRanges", []):
        low, high = int(entry["MinValue"]), int(entry["MaxValue"])
        values[entry["Name"]] = str(min(high, max(low, round(_number(low, high, entry, rng)))))
    for entry in ranges.get("ContinuousParameterRanges", []):
        number = _number(float(entry["MinValue"]), float(entry["MaxValue"]), entry, rng)
        values[entry["Name"]] = repr(number)
    for entry in ranges.get("CategoricalParameterRanges", []):
        values[entry["Name"]] = rng.choice(entry["Values"])
    return values


def _number(low: float, high: float, entry: dict[str, Any], rng: random.Random) -> float:
    if entry.get("ScalingType") == "Logarithmic":
        return min(high, max(low, math.exp(rng.uniform(math.log(low), math.log(high)))))
    return rng.uniform(low, high)
