"""The settings of a SageMaker training job, as Step Functions passes them to `createTrainingJob`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlops.models.errors import SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, TrainingJob
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.settings.hyperparameter import settings_hyperparameters
from mlops.pipelines.jobs.prices import cost_usd, usd_per_hour
from mlops.pipelines.jobs.training_cost import expected_seconds
from mlops.pipelines.jobs.training_source import Source
from mlops.pipelines.jobs.tuning_job import tuning_job

_MAX_NAME = 63 - len("-999-999")
_TRAINING_ID_CHARACTERS = 12
_EXECUTION_CHARACTERS = 6
_MAX_TUNING_NAME = 32 - len("-999-999")
_TUNING_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class TrainingRequest(Record):
    """What is to be trained; `execution_name` names the execution, `n_rows` says how large the file is.

    `task` is what validation made of the target, `contract` the document that the file was validated against;
    both are None for a training that did not come through intake, or that release 0.1 started.
    """

    group: str
    dataset: ObjectRef
    dataset_id: str
    training_id: str
    settings: GroupSettings = field(default_factory=GroupSettings)
    execution_name: str = ""
    n_rows: int | None = None
    task: TaskName | None = None
    contract: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What jobs run on.

    `max_wait_seconds` is how long a job may wait for Spot capacity and run, together. `usd_per_hour` is the
    price that the deployment names, 0 = the list price. `parallel_trials` is how many trials of a search run
    at once as jobs of their own, 0 = a search stays inside the training job.
    """

    instance_type: str
    max_runtime_seconds: int
    use_spot: bool = False
    max_wait_seconds: int = 0
    usd_per_hour: float = 0.0
    parallel_trials: int = 0


@dataclass(frozen=True, slots=True)
class JobInputs:
    """What a job reads beside the dataset.

    `source` is the published training code, `row_key` the key by which the rows of the group are recognised,
    `champion` the model in service.
    """

    source: Source
    row_key: ObjectRef
    champion: ModelMetadata | None = None

    @property
    def compared(self) -> ModelMetadata | None:
        """The champion, when a job can read it: it is compared on the same held-out rows."""
        champion = self.champion
        return champion if champion and champion.artifact.uri.startswith("s3://") else None

    def channels_of_trials(self, request: TrainingRequest) -> tuple[dict[str, Any], ...]:
        """Return the channels of each trial of a search, which a training reads as well."""
        channels = (_channel("code", self.source.uri), _channel("training", request.dataset.uri))
        contract = request.contract
        return channels if contract is None else (*channels, _channel("contract", contract.uri))

    def channels(self, request: TrainingRequest) -> list[dict[str, Any]]:
        """Return the channels of a training: only the job that fits the model reads the row key."""
        channels = [*self.channels_of_trials(request), _channel("row_key", self.row_key.uri)]
        compared = self.compared
        return [*channels, _channel("champion", compared.artifact.uri)] if compared else channels


def prepare_training(
    request: TrainingRequest,
    inputs: JobInputs,
    artifact_bucket: str,
    *,
    machine: Machine,
    earlier: Sequence[ModelMetadata] = (),
) -> dict[str, Any]:
    """Return everything about the job that depends on the request.

    Parameters
    ----------
    request, inputs
        What is to be trained, and what the job reads for it.
    artifact_bucket, machine
        Where SageMaker writes model and evidence, and what the job runs on.
    earlier
        The versions of the group, the oldest first, for the estimate of duration and cost.

    Raises
    ------
    SettingsError
        If the settings are too long, a tuning job cannot take their search, or Spot may wait for less time
        than the job may run.
    """
    output_uri = f"s3://{artifact_bucket}/training/{request.group}/"
    tuning = tuning_job(
        request.settings,
        request.task,
        name=tuning_name(request),
        channels=inputs.channels_of_trials(request),
        output_uri=f"{output_uri}trials/",
        parallel_trials=machine.parallel_trials,
    )
    n_trials = tuning["config"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] if tuning else 0
    return {
        **_job(request, inputs, output_uri),
        "use_spot": machine.use_spot,
        "stopping_condition": stopping_condition(machine),
        "tuning": tuning,
        **_estimate(request, machine, earlier, n_jobs=1 + n_trials),
    }


def _job(request: TrainingRequest, inputs: JobInputs, output_uri: str) -> dict[str, Any]:
    """Return what a job is called, reads, and writes."""
    name, compared = job_name(request), inputs.compared
    return {
        "job_name": name,
        "source_uri": inputs.source.uri,
        "source_digest": inputs.source.digest,
        "hyperparameters": _hyperparameters(request, compared),
        "input_data_config": inputs.channels(request),
        "output_uri": output_uri,
        # the same for every attempt: a job that is interrupted or repeated finds what was kept
        "checkpoint_config": {"S3Uri": f"{output_uri}checkpoints/{name}/"},
        "environment": {},
        "champion_version": compared.version if compared else None,
    }


def _hyperparameters(request: TrainingRequest, champion: ModelMetadata | None) -> dict[str, str]:
    hyperparameters = {
        **settings_hyperparameters(request.settings),
        "group": request.group,
        "dataset_id": request.dataset_id,
    }
    if champion is not None:
        hyperparameters["champion_version"] = champion.version
        hyperparameters["champion_sha256"] = champion.artifact.sha256
    return hyperparameters


def _estimate(
    request: TrainingRequest, machine: Machine, earlier: Sequence[ModelMetadata], *, n_jobs: int
) -> dict[str, Any]:
    """Say how long the training will take and what all its jobs will cost: a trial counts as a training."""
    price = usd_per_hour(machine.instance_type, machine.usd_per_hour)
    seconds = min(expected_seconds(request.n_rows, earlier), float(machine.max_runtime_seconds))
    return {
        "expected_seconds": round(seconds),
        "usd_per_hour": price,
        "estimated_cost_usd": cost_usd(seconds * n_jobs, price),
    }


def stopping_condition(machine: Machine) -> dict[str, int]:
    """Return SageMaker's limits of a job; the wait for Spot includes the run.

    Raises
    ------
    SettingsError
        If Spot may wait for less time than the job may run.
    """
    limits = {"MaxRuntimeInSeconds": machine.max_runtime_seconds}
    if not machine.use_spot:
        return limits
    if machine.max_wait_seconds < machine.max_runtime_seconds:
        raise SettingsError(
            f"SpotWaitSeconds is {machine.max_wait_seconds} and TrainingTimeoutSeconds "
            f"{machine.max_runtime_seconds}: the wait includes the run, so deploy with a longer wait."
        )
    return limits | {"MaxWaitTimeInSeconds": machine.max_wait_seconds}


def describe_job(job: Mapping[str, Any], prepared: Mapping[str, Any]) -> TrainingJob:
    """Return what is remembered of a job that ended.

    Parameters
    ----------
    job
        What SageMaker describes, with times in milliseconds, as Step Functions has it.
    prepared
        What `prepare_training` returned for it.
    """
    billed, tried = job.get("BillableTimeInSeconds"), prepared.get("tried") or {}
    seconds = None if billed is None else billed + (tried.get("billable_seconds") or 0)
    return TrainingJob(
        name=job["TrainingJobName"],
        arn=job["TrainingJobArn"],
        image_uri=(job.get("AlgorithmSpecification") or {}).get("TrainingImage"),
        instance_type=(job.get("ResourceConfig") or {}).get("InstanceType"),
        started_at=_moment(job.get("TrainingStartTime")),
        ended_at=_moment(job.get("TrainingEndTime")),
        billable_seconds=billed,
        estimated_cost_usd=prepared.get("estimated_cost_usd"),
        actual_cost_usd=cost_usd(seconds, prepared.get("usd_per_hour")),
        n_trial_jobs=tried.get("n_jobs"),
        trials_billable_seconds=tried.get("billable_seconds"),
    )


def job_name(request: TrainingRequest) -> str:
    """Return `<group>-<training id>`: letters, digits and hyphens, with room for the counts of attempts.

    The state machine appends `-<redrives>-<retries>`, so that every attempt has a name of its own; SageMaker
    takes 63 characters in all. The name of the execution is in it as a short digest: a failed training that
    is started again must not meet the names of the first time.
    """
    ending = f"-{_slug(request.training_id)[:_TRAINING_ID_CHARACTERS]}"
    if request.execution_name:
        digest = hashlib.sha256(request.execution_name.encode()).hexdigest()
        ending += f"-{digest[:_EXECUTION_CHARACTERS]}"
    return f"{_slug(request.group)[: _MAX_NAME - len(ending)].rstrip('-')}{ending}"


def tuning_name(request: TrainingRequest) -> str:
    """Return the name of a tuning job as `job_name` does that of a training job, in 32 characters.

    The training and the execution are in it as one short digest, because nothing else fits beside the group.
    """
    identity = f"{request.group}\n{request.training_id}\n{request.execution_name}"
    ending = f"-{hashlib.sha256(identity.encode()).hexdigest()[:_TUNING_CHARACTERS]}"
    return f"{_slug(request.group)[: _MAX_TUNING_NAME - len(ending)].rstrip('-')}{ending}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "model"


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _moment(milliseconds: float | None) -> datetime | None:
    """Read a time as Step Functions writes it: milliseconds since 1970."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
