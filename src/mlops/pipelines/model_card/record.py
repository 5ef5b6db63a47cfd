"""What a model card says once its version is registered: changes of the data, lineage, job and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from mlops.models.registry import ModelMetadata, TrainingJob
from mlops.models.training import DatasetChanges

Entry = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CardRecord:
    """What the registry knows beside the training result; `dropped_file` is what somebody uploaded."""

    model: ModelMetadata
    dropped_file: str | None = None


def changes_section(model: ModelMetadata, picture: str) -> str:
    """Return how the training file differs from the champion's, and what validation said of it."""
    changes, findings = model.data.changes, [str(found.get("message", "")) for found in model.data.findings]
    parts = [_changes(changes) if changes else ""]
    if findings:
        parts.append(f"<h3>What validation noticed</h3>{_list(findings)}")
    if picture:
        parts.append(f'<div class="plots">{picture}</div>')
    message = "".join(parts)
    return f"<section><h2>What changed in the data</h2>{message}</section>" if message else ""


def lineage_section(record: CardRecord) -> str:
    """Return where everything came from: data, code, image, artifact, by digest."""
    model, job = record.model, record.model.training_job
    entries = [
        ("Version", f"{model.model_group} {model.version} (number {model.number} of the group)"),
        ("Registered", moment(model.created_at)),
        ("Dropped file", record.dropped_file),
        ("Dropped by", model.data.uploader),
        ("Rows of the file", None if model.data.n_rows is None else f"{model.data.n_rows:,}"),
        ("Training code (SHA-256)", model.source.digest),
        ("Image", job.image_uri if job else None),
        ("Training job", job.name if job else None),
        ("Model", model.artifact.uri),
        ("Model (SHA-256)", model.artifact.sha256),
        ("Compared with", model.comparison.champion_version if model.comparison else None),
    ]
    return f"<section><h2>Lineage</h2>{facts_table(entries)}</section>"


def cost_section(job: TrainingJob | None) -> str:
    """Return how long the job took and what it cost; prices that nobody knows are said to be unknown."""
    if job is None:
        return ""
    took = (job.ended_at - job.started_at).total_seconds() if job.started_at and job.ended_at else None
    entries = [
        ("Instance", job.instance_type),
        ("Started", moment(job.started_at) if job.started_at else None),
        ("Ran for", None if took is None else duration(took)),
        ("Billed for", None if job.billable_seconds is None else duration(job.billable_seconds)),
        ("Trials of the search", _trials(job)),
        ("Cost", "no price is known for this instance type" if job.actual_cost_usd is None else None),
        ("Cost", None if job.actual_cost_usd is None else usd(job.actual_cost_usd)),
        ("Estimated before", None if job.estimated_cost_usd is None else usd(job.estimated_cost_usd)),
    ]
    return f"<section><h2>Duration and cost</h2>{facts_table(entries)}</section>"


def cost_tile(job: TrainingJob | None) -> tuple[str, str, str] | None:
    """Return name, value and note of the tile with the cost; None where there is none to tell."""
    if job is None or job.actual_cost_usd is None:
        return None
    estimate = "" if job.estimated_cost_usd is None else f", estimated {usd(job.estimated_cost_usd)}"
    seconds = (
        None if job.billable_seconds is None else job.billable_seconds + (job.trials_billable_seconds or 0)
    )
    billed = "" if seconds is None else f"{duration(seconds)} billed"
    return ("Cost of training", usd(job.actual_cost_usd), f"{billed}{estimate}")


def _trials(job: TrainingJob) -> str | None:
    if not job.n_trial_jobs:
        return None
    billed = (
        "" if job.trials_billable_seconds is None else f", billed for {duration(job.trials_billable_seconds)}"
    )
    return f"{job.n_trial_jobs} jobs of a tuning job{billed}"


def facts_table(entries: Sequence[tuple[str, str | None]]) -> str:
    """Return a table of names and texts, without those that are None."""
    lines = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in entries
        if value is not None
    )
    return f'<div class="scroll"><table class="facts"><tbody>{lines}</tbody></table></div>'


def duration(seconds: float) -> str:
    """Write a duration: `45 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if seconds >= 10 or whole == seconds else f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def usd(amount: float) -> str:
    """Write an amount of US dollars; small ones to a hundredth of a cent."""
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.4f}"


def moment(at: datetime) -> str:
    """Write a time to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _changes(changes: DatasetChanges) -> str:
    score = "" if changes.drift_score is None else f", drift score {changes.drift_score:.2f}"
    verdict = "" if changes.verdict is None else f" Verdict: {changes.verdict}{score}."
    since = f"the file of {changes.model_version}" if changes.model_version else "the champion's file"
    note = f"Against {since}: {changes.n_rows_before:,} rows then, {changes.n_rows_after:,} now.{verdict}"
    return f'<p class="aside">{escape(note)}</p>{_list(changes.sentences)}'


def _list(sentences: Sequence[str]) -> str:
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ol class="changes">{lines}</ol>' if lines else ""
