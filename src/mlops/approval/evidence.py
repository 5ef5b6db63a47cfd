"""The evidence on a candidate that approvers see, from the registry, and the sentences that describe it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlops.approval.concerns import find_concerns, is_finding_covered
from mlops.models.approval import Evidence, ScoreEvidence
from mlops.models.evaluation import EvaluationDetails, SliceQuality, SliceScore, SliceTable
from mlops.models.metrics import metric_interval, metric_value
from mlops.models.registry import ModelMetadata
from mlops.models.settings.differences import SettingDifference, differing_settings
from mlops.models.settings.group import GroupSettings

MAX_IMPORTANCES = 12
MAX_SENTENCES = 20
MAX_SLICES = 3


def gather(
    model: ModelMetadata,
    champion: ModelMetadata | None,
    details: EvaluationDetails | None = None,
    *,
    policy: Iterable[str] = (),
) -> Evidence:
    """Return the evidence on a candidate; `champion` is the version in service now.

    `policy` are the rules of the approval as sentences.
    """
    importances = sorted(model.feature_importance.items(), key=lambda entry: -entry[1])[:MAX_IMPORTANCES]
    job, data = model.training_job, model.data
    other_findings = [each for each in data.findings if not is_finding_covered(each, model, champion)]
    return Evidence(
        algorithm=model.algorithm,
        task=model.task,
        target=model.target,
        dataset_version=model.dataset_version,
        n_rows=data.n_rows,
        n_features=len(model.features),
        primary=model.metrics.primary,
        champion_version=champion.version if champion else None,
        comparison_note=_comparison_note(model, champion),
        scores=_scores(model),
        gate_reasons=(model.gate.reasons if model.gate else ())[:MAX_SENTENCES],
        findings=tuple(map(_sentence, other_findings[:MAX_SENTENCES])),
        warnings=_other_warnings(model)[:MAX_SENTENCES],
        importances=dict(importances),
        hyperparameters={name: str(value) for name, value in model.hyperparameters.items()},
        billable_seconds=job.billable_seconds if job else None,
        positive_label=model.metrics.positive_label,
        changes=data.changes,
        worst_slices=details.slices[:MAX_SLICES] if details else (),
        uploader=data.uploader,
        estimated_cost_usd=job.estimated_cost_usd if job else None,
        actual_cost_usd=job.actual_cost_usd if job else None,
        evidence_uri=model.evidence_uri,
        plots=model.plots,
        policy=tuple(policy),
        settings_changes=differing_settings(
            champion.settings if champion else GroupSettings(), model.settings
        ),
        slice_note=_slice_note(details.slice_table, model.metrics.primary) if details else None,
        concerns=find_concerns(model, champion),
    )


def describe_task(evidence: Evidence) -> str:
    """Describe what the model predicts: `adherent (binary, looks for yes)`."""
    looks_for = f", looks for {evidence.positive_label}" if evidence.positive_label else ""
    return f"{evidence.target or '?'} ({evidence.task or 'unknown task'}{looks_for})"


def describe_changes(evidence: Evidence) -> tuple[str, ...]:
    """Describe how the training data differ from those of the champion: in one sentence, then in detail."""
    changes = evidence.changes
    if changes is None:
        return ()
    before = changes.model_version or "the champion"
    rows = f"{changes.n_rows_after:,} rows, {changes.n_rows_before:,} in the data of {before}"
    score = "" if changes.drift_score is None else f" (score {changes.drift_score:.2f}, 0 = same)"
    summary = f"{rows}; drift between the two: {changes.verdict}{score}."
    return summary, *changes.sentences[:MAX_SENTENCES]


def describe_slice(entry: SliceScore | SliceQuality, primary: str | None) -> str:
    """Describe the primary score of the model on a part of the rows."""
    score = "no score" if entry.score is None else metric_value(primary or "", entry.score)
    interval = f" ({metric_interval(primary or '', entry.interval)})" if entry.interval else ""
    return f"{entry.column} = {entry.value}: {score}{interval} on {entry.n_rows:,} rows"


def describe_worst_slices(evidence: Evidence, n_shown: int = MAX_SLICES) -> Iterator[str]:
    """Describe the worst of the slices that the settings name, and of those of the features."""
    if evidence.slice_note:
        yield evidence.slice_note
    yield from (describe_slice(entry, evidence.primary) for entry in evidence.worst_slices[:n_shown])


def describe_uploader(evidence: Evidence) -> str:
    """Describe who dropped the training file, which only the upload itself says."""
    if evidence.uploader is None:
        return "not known: the upload does not name anyone"
    return f"{evidence.uploader}, by the metadata of the upload; this is not verified"


def settings_title(evidence: Evidence) -> str:
    """Return the heading above the settings that differ."""
    version = evidence.champion_version
    return f"Settings that differ from those of {version}" if version else "Settings that are not the default"


def describe_setting(change: SettingDifference) -> str:
    """Describe one setting that differs: `gate.roc_auc.threshold: 0.7 -> 0.5`."""
    return (
        f"{change.key}: {change.before} -> {change.after}"
        if change.before
        else f"{change.key}: {change.after}"
    )


def describe_cost(evidence: Evidence) -> str:
    """Describe what the training cost; empty when that is not known."""
    costs = []
    if evidence.actual_cost_usd is not None:
        costs.append(_dollars(evidence.actual_cost_usd))
    if evidence.estimated_cost_usd is not None:
        costs.append(f"estimated {_dollars(evidence.estimated_cost_usd)}")
    if evidence.billable_seconds is not None:
        costs.append(f"{evidence.billable_seconds:,} s billed")
    return ", ".join(costs)


def describe_ways(version: str, champion: str | None) -> Iterator[tuple[str, str]]:
    """Yield each possible answer and its consequence."""
    stays = f"{champion} stays in service" if champion else "no model is in service"
    replaces = f"; it replaces {champion}, which stays available for rollback" if champion else ""
    yield "Approve", f"{version} answers scoring files{replaces}."
    yield "Reject", f"{stays}; {version} is closed permanently."
    yield "Nothing", f"the request expires, and {stays}."


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


def _slice_note(table: SliceTable | None, primary: str | None) -> str | None:
    """Compare the worst slice that the settings name with all held-out rows."""
    if table is None or table.worst is None or table.overall.score is None:
        return None
    overall = metric_value(primary or "", table.overall.score)
    return (
        f"Worst of the {len(table.slices)} slices that model.toml names, against {overall} on all rows: "
        f"{describe_slice(table.worst, primary)}"
    )


def _comparison_note(model: ModelMetadata, champion: ModelMetadata | None) -> str | None:
    if champion is None:
        return "No model is in service yet; this would be the first."
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


def _other_warnings(model: ModelMetadata) -> tuple[str, ...]:
    """Return the warnings of training that are no concerns, which a page says first."""
    said_first = {concern.message for concern in model.concerns}
    return tuple(warning for warning in model.warnings if warning not in said_first)


def _sentence(finding: Mapping[str, Any]) -> str:
    """Describe a validation finding in one line: severity, column, message."""
    column = f"{finding['column']}: " if finding.get("column") else ""
    return f"{finding.get('severity', 'note')}: {column}{finding.get('message', finding.get('rule_id', ''))}"


def _dollars(amount: float) -> str:
    return f"{amount:,.2f} USD" if amount >= 0.1 else f"{amount:.4f} USD"
