"""Description of a version as text: what it is, its scores, its lineage, its history."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlops.models.experiment import RunFailure
from mlops.models.metrics import describe_metric, metric_definition, metric_interval, metric_value
from mlops.models.registry import AuditEntry, ModelMetadata, StatusChange
from mlops.registry.lifecycle import Action

_TOP_IMPORTANCES = 10
_REASON_WIDTH = 100


def describe(model: ModelMetadata, history: Sequence[AuditEntry]) -> Iterator[str]:
    """Yield the lines; `history` are the audit entries about the version, oldest first."""
    yield f"{model.model_group} {model.version}: {model.status}"
    if model.status_reason:
        yield f"  because {model.status_reason}"
    yield from _block("What it is", _facts(model))
    yield from _block("Scores", _scores(model))
    yield from _block(
        "Gate", ((check.name, check.message) for check in model.gate.checks) if model.gate else ()
    )
    yield from _block("Where it comes from", lineage(model, history).items())
    yield from _block("Hyperparameters", ((k, str(v)) for k, v in model.hyperparameters.items()))
    importances = list(model.feature_importance.items())[:_TOP_IMPORTANCES]
    yield from _block("Importance", ((name, f"{value:.4f}") for name, value in importances))
    yield from _block("Warnings", (("-", warning) for warning in model.warnings))
    yield from _block("Tags", model.tags.items())
    yield from _block("Notes", (("", line) for line in model.notes.splitlines()))
    yield from _block("What happened", (_event(model, entry) for entry in history))


def lineage(model: ModelMetadata, history: Sequence[AuditEntry]) -> Mapping[str, str]:
    """Return what the version was made from and who approved it; unknown entries are left out."""
    job = model.training_job
    approval = next((entry for entry in reversed(history) if entry.action == Action.APPROVE), None)
    entries = {
        "dataset": model.dataset_version,
        "uploaded by (not verified)": model.data.uploader,
        "code": model.source.digest,
        "image": job.image_uri if job else None,
        "training job": job.name if job else None,
        "artifact": f"{model.artifact.uri} sha256 {model.artifact.sha256}",
        "evidence": model.evidence_uri,
        "approved by": approval.by if approval else None,
        "approval request": model.approval_request,
    }
    return {name: value for name, value in entries.items() if value}


def score_cell(primary_score: tuple[str, float] | None) -> str:
    """Return a score with its name as a cell of a table."""
    return "-" if primary_score is None else describe_metric(*primary_score)


def failure_line(failure: RunFailure) -> str:
    """Return error and reason in one short line."""
    return textwrap.shorten(f"{failure.error_type} {failure.message}", _REASON_WIDTH, placeholder=" ...")


def _facts(model: ModelMetadata) -> Iterator[tuple[str, str]]:
    rows = "" if model.data.n_rows is None else f", {model.data.n_rows:,} rows"
    yield "algorithm", model.algorithm
    yield "target", f"{model.target or 'unknown'}" + (f" ({model.task})" if model.task else "")
    yield "features", f"{len(model.features)}{rows}"
    yield "created", f"{model.created_at:%Y-%m-%d %H:%M:%S %Z}"


def _scores(model: ModelMetadata) -> Iterator[tuple[str, str]]:
    for name, value in model.metrics.values().items():
        interval, dummy = model.metrics.intervals.get(name), model.metrics.dummy.get(name)
        between = f"  ({metric_interval(name, interval)})" if interval else ""
        no_skill = f"  no skill {metric_value(name, dummy)}" if dummy is not None else ""
        yield metric_definition(name).label, f"{metric_value(name, value)}{between}{no_skill}"


def _event(model: ModelMetadata, entry: AuditEntry) -> tuple[str, str]:
    change = next((c for c in entry.changes if c.version == model.version), None)
    why = f": {entry.reason}" if entry.reason else ""
    return f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{_step(entry, change)} by {entry.by}{why}"


def _step(entry: AuditEntry, change: StatusChange | None) -> str:
    return f"{change.action} -> {change.after}" if change else entry.action


def _block(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    table = list(rows)
    if table:
        width = max(len(name) for name, _ in table)
        yield ""
        yield title
        yield from (f"  {name:<{width}}  {value}".rstrip() for name, value in table)
