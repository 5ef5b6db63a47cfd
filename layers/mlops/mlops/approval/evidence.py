"""What approvers are shown about a candidate, gathered from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.models.approval import Evidence, ScoreEvidence
from mlops.models.registry import ModelMetadata

MAX_IMPORTANCES = 12
MAX_SENTENCES = 20


def gather(model: ModelMetadata, champion: ModelMetadata | None) -> Evidence:
    """Return the evidence on a candidate; `champion` is the version in service now."""
    importances = sorted(model.feature_importance.items(), key=lambda entry: -entry[1])[:MAX_IMPORTANCES]
    return Evidence(
        algorithm=model.algorithm,
        task=model.task,
        target=model.target,
        dataset_version=model.dataset_version,
        n_rows=model.data.n_rows,
        n_features=len(model.features),
        primary=model.metrics.primary,
        champion_version=champion.version if champion else None,
        comparison_note=_comparison_note(model, champion),
        scores=_scores(model),
        gate_reasons=(model.gate.reasons if model.gate else ())[:MAX_SENTENCES],
        findings=tuple(_sentence(finding) for finding in model.data.findings[:MAX_SENTENCES]),
        warnings=model.warnings[:MAX_SENTENCES],
        importances=dict(importances),
        hyperparameters={name: str(value) for name, value in model.hyperparameters.items()},
        billable_seconds=model.training_job.billable_seconds if model.training_job else None,
        positive_label=model.metrics.positive_label,
    )


def describe_task(evidence: Evidence) -> str:
    """Say what the model predicts: `adherent (binary, looks for yes)`."""
    looks_for = f", looks for {evidence.positive_label}" if evidence.positive_label else ""
    return f"{evidence.target or '?'} ({evidence.task or 'unknown task'}{looks_for})"


def _scores(model: ModelMetadata) -> tuple[ScoreEvidence, ...]:
    metrics = model.metrics
    compared = model.comparison.metrics if model.comparison else {}
    names = sorted(
        metrics.values(), key=lambda name: name != metrics.primary
    )  # the one that decides comes first
    rows = []
    for name in names:
        pair = compared.get(name)
        rows.append(
            ScoreEvidence(
                name=name,
                candidate=metrics.values()[name],
                interval=metrics.intervals.get(name),
                champion=pair.champion if pair else None,
                difference=pair.difference if pair else None,
                difference_interval=pair.interval if pair else None,
                dummy=metrics.dummy.get(name),
            )
        )
    return tuple(rows)


def _comparison_note(model: ModelMetadata, champion: ModelMetadata | None) -> str | None:
    if champion is None:
        return "There is no model in service yet; this would be the first."
    comparison = model.comparison
    if comparison is None or not comparison.comparable:
        why = (
            comparison.reason
            if comparison and comparison.reason
            else "It was not in service at the training."
        )
        return f"Not compared with {champion.version} on the same rows. {why}"
    if comparison.champion_version != champion.version:
        return (
            f"The comparison is with {comparison.champion_version}; meanwhile {champion.version} is in "
            "service, so read it with care."
        )
    return None


def _sentence(finding: Mapping[str, Any]) -> str:
    """Say a validation finding in one line: severity, column, message."""
    column = f"{finding['column']}: " if finding.get("column") else ""
    return f"{finding.get('severity', 'note')}: {column}{finding.get('message', finding.get('rule_id', ''))}"
