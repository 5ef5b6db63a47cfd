"""The trials of a tuning job: what they were given, how they ended, and their way into the training job."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import TrainingError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.pipelines.jobs.tuning_job import TRIALS_CHANNEL

TRIALS_FILENAME = "trials.json"
_NO_REASON = "No trial of the search ended with a score; the logs of its training jobs say why."


@dataclass(frozen=True, slots=True)
class TrialJob(Record):
    """One training job of a tuning job; `score` is None when it ended without one, and `reason` says why.

    `hyperparameters` are what was tried, as texts; `status` is that of the job.
    """

    name: str
    status: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    score: float | None = None
    reason: str = ""
    billable_seconds: int = 0


class TrialJobs(Protocol):
    """Where the jobs of a tuning job are looked up."""

    def of(self, tuning_job_name: str) -> list[TrialJob]:
        """Return every job that the tuning job has started, in the order of their names; none is an error.

        Raises
        ------
        TrainingError
            If the tuning job does not exist.
        """
        ...


def collect_trials(
    prepared: Mapping[str, Any], tuning_job_name: str, jobs: TrialJobs, objects: ObjectStore
) -> dict[str, Any]:
    """Write what a tuning job has tried where the training job reads it, and return the new preparation.

    The same call again writes the same bytes to the same place.

    Parameters
    ----------
    prepared
        What `prepare_training` returned, with its `tuning`.
    tuning_job_name
        The tuning job that has ended well.

    Raises
    ------
    TrainingError
        If no trial has a score; the reason is that of the trials.
    """
    trials = jobs.of(tuning_job_name)
    document = trials_document(trials) | {"algorithm": prepared["tuning"]["algorithm"]}
    folder = f"{prepared['tuning']['output_uri']}{tuning_job_name}/"
    content = json.dumps(document, indent=2, sort_keys=True).encode()
    objects.write(ObjectRef.from_uri(f"{folder}{TRIALS_FILENAME}"), content, "application/json")
    source = {"S3DataType": "S3Prefix", "S3Uri": folder, "S3DataDistributionType": "FullyReplicated"}
    channel = {
        "ChannelName": TRIALS_CHANNEL,
        "InputMode": "File",
        "DataSource": {"S3DataSource": source},
    }
    channels = [entry for entry in prepared["input_data_config"] if entry["ChannelName"] != TRIALS_CHANNEL]
    return {**prepared, "input_data_config": [*channels, channel], "tried": bill_of(trials)}


def bill_of(jobs: Sequence[TrialJob]) -> dict[str, int]:
    """Return how many jobs there were and the seconds billed for them together."""
    return {"n_jobs": len(jobs), "billable_seconds": sum(job.billable_seconds for job in jobs)}


def trials_document(jobs: Sequence[TrialJob]) -> dict[str, Any]:
    """Return the scored trials, the best first, and how many have no score.

    Raises
    ------
    TrainingError
        If there is none with a score.
    """
    scored = [job for job in jobs if job.score is not None]
    if not scored:
        raise TrainingError(commonest_reason(jobs) or _NO_REASON)
    ordered = sorted(scored, key=lambda job: (-(job.score or 0.0), job.name))
    trials = [{"hyperparameters": _typed(job.hyperparameters), "score": job.score} for job in ordered]
    failed = [job for job in jobs if job.score is None]
    return {"trials": trials, "n_failed": len(failed), "reason": commonest_reason(failed)}


def commonest_reason(jobs: Sequence[TrialJob]) -> str:
    """Return the sentence that most of the failed trials left; empty when none left any."""
    reasons = Counter(job.reason for job in jobs if job.reason)
    return reasons.most_common(1)[0][0] if reasons else ""


def _typed(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Read values as a trial reads them: JSON where it is some, else the text itself."""
    return {name: _value(text) for name, text in sorted(hyperparameters.items())}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
