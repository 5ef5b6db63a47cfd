"""The drift report as plain text, for emails: short lines, ASCII, no statistics."""

from __future__ import annotations

from mlops.models.drift.report import Anomaly, DriftReport, DriftVerdict
from mlops.monitoring.verdict.causes import (
    LIMITS,
    NO_CAUSE,
    change_sentence,
    effects_of,
    likely_causes,
    multivariate_sentence,
    segment_sentence,
    segments_of_change,
)
from mlops.monitoring.verdict.contributions import describe_share
from mlops.monitoring.verdict.reference import reference_rows
from mlops.pages.number_format import percent, rows

_HEADLINES: dict[DriftVerdict, str] = {
    "OK": "The inputs look as they did at training.",
    "WARN": "Some inputs changed.",
    "ALERT": "Inputs changed a lot.",
    "INSUFFICIENT_DATA": "Too few rows for a verdict.",
}
_MAX_LINES = 10


def headline(report: DriftReport) -> str:
    """Return the verdict in words: of the inputs, of the predictions, or of both."""
    if has_only_reasons(report):
        return "The reasons of the predictions changed, inputs and predictions did not."
    if not report.predictions_with_drift:
        if report.verdict == "OK" and report.earlier_weeks:
            return "The inputs look as they did in earlier weeks."
        return _HEADLINES[report.verdict]
    if changes_of_inputs(report):
        return "Inputs and predictions changed" + (" a lot." if report.verdict == "ALERT" else ".")
    much = " a lot" if report.prediction_verdict == "ALERT" else ""
    return f"The predictions changed{much}, the inputs did not."


def render_text(report: DriftReport, *, max_lines: int = _MAX_LINES) -> str:
    """Return the report for an email: the verdict with its reasons, what changed, and the rule."""
    lines = [headline(report), facts_line(report), verdict_line(report)]
    lines += [line for line in (arrivals_line(report),) if line] + [""]
    changes = describe_changes(report)
    lines += [f"- {change}" for change in changes[:max_lines]]
    if len(changes) > max_lines:
        lines.append(f"- and {len(changes) - max_lines} more, see the report")
    lines += causes_text(report)
    lines += ["", multivariate_sentence(report.multivariate)] if report.multivariate else []
    lines += ["", *report.feature_views] if report.feature_views else []
    if report.verdict in ("WARN", "ALERT"):
        lines += ["", f"This says that {_changed(report)} changed, not that the model is bad."]
    text = "\n".join(lines).rstrip() + "\n"
    return f"{text}\nRule: {report.rule}\n" if report.rule else text


def has_only_reasons(report: DriftReport) -> bool:
    """Return whether only the reasons of the predictions changed."""
    others = report.predictions_with_drift or report.features_with_drift or changes_of_inputs(report)
    return bool(report.reasons_with_drift) and not others


def _changed(report: DriftReport) -> str:
    if has_only_reasons(report):
        return "the reasons of the predictions"
    if report.predictions_with_drift and changes_of_inputs(report):
        return "inputs and predictions"
    return "predictions" if report.predictions_with_drift else "inputs"


def describe_changes(report: DriftReport) -> list[str]:
    """Return one sentence for each output, feature and reason that moved, and for each other anomaly."""
    predictions = [report.predictions[name].description for name in report.predictions_with_drift]
    return predictions + changes_of_inputs(report) + changes_of_reasons(report)


def changes_of_reasons(report: DriftReport) -> list[str]:
    """Return one sentence for each column whose share in the reasons of the predictions changed."""
    changes = report.contributions.columns if report.contributions else ()
    return [f"reasons: {describe_share(change)}" for change in changes if change.has_drift]


def changes_of_inputs(report: DriftReport) -> list[str]:
    """Return one sentence for each feature that moved, each other anomaly, and each change in a segment."""
    moved = [report.features[name].description for name in report.features_with_drift]
    in_segments = [
        f"{segment.name} ({percent(segment.share_current)} of rows): {change.description}"
        for segment, change in report.changes_in_segments
    ]
    return moved + [anomaly.message for anomaly in unattached_anomalies(report)] + in_segments


def verdict_line(report: DriftReport) -> str:
    """Return the verdict, the drift score and the reasons, in one line."""
    reasons = f": {'; '.join(report.reasons)}" if report.reasons else ""
    return f"Verdict {report.verdict}, drift score {drift_score_text(report)}{reasons}"


def causes_text(report: DriftReport) -> list[str]:
    """Return which inputs may be the cause of changed predictions; no lines where these are as before."""
    if change := report.prediction_change:
        return ["", change_sentence(change), *(f"- {name}: {effect}" for name, effect in effects_of(change))]
    if not report.predictions_with_drift:
        return []
    segments = [f"- {segment_sentence(segment)}" for segment in segments_of_change(report)]
    where = ["", "Mean prediction of segments, which overlap:", *segments] if segments else []
    causes = likely_causes(report)
    if not causes:
        return where if changes_of_inputs(report) else ["", NO_CAUSE, *where]
    shares = ", ".join(f"{cause.feature.name} {percent(cause.share)}" for cause in causes)
    return ["", f"Likely causes of the changed predictions: {shares}. {LIMITS}", *where]


def arrivals_line(report: DriftReport) -> str:
    """Return the verdict on how files arrive, in one line; empty where it was not judged."""
    arrivals = report.arrivals
    if arrivals is None or arrivals.verdict == "INSUFFICIENT_DATA":
        return ""
    return f"Files {arrivals.verdict}: {arrivals.message}"


def drift_score_text(report: DriftReport) -> str:
    """Return the drift score with two digits, or `-` where there were too few rows for one."""
    return "-" if report.verdict == "INSUFFICIENT_DATA" else f"{report.drift_score:.2f}"


def facts_line(report: DriftReport) -> str:
    """Return what was compared with what, in one line."""
    facts = [rows(report.n_rows)]
    if report.n_batches is not None:
        facts.append("1 file" if report.n_batches == 1 else f"{report.n_batches:,} files")
    if report.window_days is not None:
        facts.append("last day" if report.window_days == 1 else f"last {report.window_days} days")
    against = f"against {report.n_rows_baseline:,} {reference_rows(report)}"
    of_version = ", scored by" if report.earlier_weeks else " of"
    facts.append(f"{against}{of_version} {report.model_version}" if report.model_version else against)
    if report.created_at is not None:
        facts.append(f"{report.created_at:%Y-%m-%d %H:%M} UTC")
    return ", ".join(facts)


def unattached_anomalies(report: DriftReport) -> list[Anomaly]:
    """Return the anomalies beside the features with drift: extra columns, files with too few rows."""
    described = set(report.features_with_drift)
    return [a for a in report.anomalies if a.verdict in ("WARN", "ALERT") and a.column not in described]
