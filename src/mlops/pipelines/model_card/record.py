"""What a model card says once its version is registered: changes of the data, lineage, job and cost."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.registry import ModelMetadata, TrainingJob
from mlops.models.training import DatasetChanges
from mlops.pages.number_format import duration, moment, usd

type Entry = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class CardRecord:
    """What the registry knows beside the training result; `dropped_file` is the file that was uploaded."""

    model: ModelMetadata
    dropped_file: str | None = None


def describe_changes(changes: DatasetChanges) -> str:
    """Say what the training file was compared with, and the verdict."""
    score = "" if changes.drift_score is None else f", drift score {changes.drift_score:.2f}"
    verdict = "" if changes.verdict is None else f" Verdict: {changes.verdict}{score}."
    since = f"the file of {changes.model_version}" if changes.model_version else "the champion's file"
    return f"Against {since}: {changes.n_rows_before:,} rows then, {changes.n_rows_after:,} now.{verdict}"


def lineage(record: CardRecord) -> tuple[Entry, ...]:
    """Return where everything came from: data, code, image, artifact, by digest; None = not known."""
    model, job = record.model, record.model.training_job
    return (
        ("Version", f"{model.model_group} {model.version} (number {model.number} of the group)"),
        ("Registered", moment(model.created_at)),
        ("Dropped file", record.dropped_file),
        ("Dropped by (not verified)", model.data.uploader),
        ("Rows of the file", None if model.data.n_rows is None else f"{model.data.n_rows:,}"),
        ("Training code (SHA-256)", model.source.digest),
        ("Image", job.image_uri if job else None),
        ("Training job", job.name if job else None),
        ("Model", model.artifact.uri),
        ("Model (SHA-256)", model.artifact.sha256),
        ("Compared with", model.comparison.champion_version if model.comparison else None),
    )


def cost(job: TrainingJob) -> tuple[Entry, ...]:
    """Return how long the job took and what it cost, as far as the price is known."""
    took = (job.ended_at - job.started_at).total_seconds() if job.started_at and job.ended_at else None
    is_unknown = job.actual_cost_usd is None
    return (
        ("Instance", job.instance_type),
        ("Started", moment(job.started_at) if job.started_at else None),
        ("Ran for", _duration(took)),
        ("Billed for", _duration(job.billable_seconds)),
        ("Trials of the search", _trials(job)),
        ("Cost", "the price of this instance type is not known" if is_unknown else _usd(job.actual_cost_usd)),
        ("Estimated before", _usd(job.estimated_cost_usd)),
    )


def cost_tile(job: TrainingJob | None) -> tuple[str, str, str] | None:
    """Return name, value and note of the tile with the cost; None where the cost is not known."""
    if job is None or job.actual_cost_usd is None:
        return None
    seconds = job.billable_seconds
    billed = "" if seconds is None else f"{duration(seconds + (job.trials_billable_seconds or 0))} billed"
    estimate = "" if job.estimated_cost_usd is None else f", estimated {usd(job.estimated_cost_usd)}"
    return "Cost of training", usd(job.actual_cost_usd), f"{billed}{estimate}"


def _trials(job: TrainingJob) -> str | None:
    if not job.n_trial_jobs:
        return None
    billed = _duration(job.trials_billable_seconds)
    return f"{job.n_trial_jobs} jobs of a tuning job{f', billed for {billed}' if billed else ''}"


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _usd(amount: float | None) -> str | None:
    return None if amount is None else usd(amount)
