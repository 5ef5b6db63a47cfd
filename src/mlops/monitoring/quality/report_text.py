"""The report of realised quality as plain text, for emails and the command line: short lines, ASCII."""

from __future__ import annotations

from textwrap import wrap

from mlops.models.metrics import (
    describe_metric,
    metric_difference,
    metric_interval,
    metric_name,
    metric_value,
)
from mlops.models.scoring.quality import QualityPart, QualityReport, QualityVerdict
from mlops.monitoring.quality.dependence import MIN_CLUSTERS
from mlops.monitoring.quality.estimate import ASSUMPTIONS
from mlops.monitoring.quality.verdict import RULE
from mlops.pages.number_format import counted

_WIDTH = 100
_HEADLINES: dict[QualityVerdict, str] = {
    "OK": "The quality is as approved.",
    "DROPPED": "The quality is below the approved one.",
    "INSUFFICIENT_DATA": "Too few labels for a verdict.",
}


def render_text(report: QualityReport) -> str:
    """Return the verdict with its numbers, the parts that dropped, and how the labels were matched."""
    overall = sentence(report.overall, report) if report.overall.n_labels else no_labels(report.model_group)
    lines = [headline(report), facts_line(report), "", overall]
    lines += [f"- {sentence(part, report)}" for part in report.dropped if part.kind != "overall"]
    if not report.dropped and (unjudged := unjudged_periods(report)):
        lines += [f"- {sentence(part, report)}" for part in unjudged]
    if report.young is not None:
        labels = counted(report.young.n_labels, "label")
        lines += ["", f"Not judged yet, because labels still come: {report.young.name} ({labels})."]
    if estimated := estimate_sentences(report):
        lines += ["", *estimated, *wrap(ASSUMPTIONS[report.task], _WIDTH)]
    rule = wrap(RULE.format(min_labels=report.min_labels), _WIDTH)
    lines += ["", *label_sentences(report), "", *rule]
    return "\n".join(lines) + "\n"


def headline(report: QualityReport) -> str:
    """Return the verdict in one sentence."""
    if report.verdict == "INSUFFICIENT_DATA" and report.overall.n_labels >= report.min_labels:
        return "The labels do not permit a verdict."
    return _HEADLINES[report.verdict]


def no_labels(group: str) -> str:
    """Return what to do about a group without labels."""
    return (
        f"No prediction of {group} has a label yet. Record labels with `mlops labels`, or drop them into "
        f"{group}/labels/ of a stack."
    )


def facts_line(report: QualityReport) -> str:
    """Return what was measured, in one line."""
    n_labels, n_predictions = report.overall.n_labels, report.overall.n_predictions
    return (
        f"{report.model_group} {report.model_version}, {counted(n_labels, 'label')} of "
        f"{counted(n_predictions, 'prediction')}, {report.created_at:%Y-%m-%d %H:%M} UTC"
    )


def sentence(part: QualityPart, report: QualityReport) -> str:
    """Return the judged score of a part, beside the approved one."""
    name = "All judged predictions" if part.kind == "overall" else part.name
    score = part.scores.get(report.metric)
    if score is None:
        return f"{name}: {metric_name(report.metric)} is not defined by {counted(part.n_labels, 'label')}."
    interval = f" ({metric_interval(report.metric, score.interval)})" if score.interval else ""
    approved = f", approved {metric_value(report.metric, part.approved.value)}" if part.approved else ""
    why = reason_without_verdict(part, report)
    return f"{name}: {describe_metric(report.metric, score.value)}{interval}{approved}.{why and ' ' + why}"


def reason_without_verdict(part: QualityPart, report: QualityReport) -> str:
    """Return why a part with enough labels is not judged; empty where it is, or is compared with nothing."""
    score = part.scores.get(report.metric)
    if part.verdict != "INSUFFICIENT_DATA" or part.n_labels < report.min_labels or score is None:
        return ""
    if score.n_clusters is not None and score.n_clusters < MIN_CLUSTERS:
        return f"Not judged: the labels are of fewer than {MIN_CLUSTERS} different ids."
    if part.approved is not None and part.approved.interval is None:
        return "Not judged: the approved score has no interval."
    if score.interval is None:
        return "Not judged: one row has more than 10 % of all squared errors. Is its label right?"
    return ""


def unjudged_periods(report: QualityReport) -> list[QualityPart]:
    """Return the newest period if it has enough labels and could not be judged."""
    return [part for part in report.periods[-1:] if reason_without_verdict(part, report)]


def estimate_sentences(report: QualityReport) -> list[str]:
    """Return the newest estimate, and how wrong the newest one was whose labels came since."""
    newest = report.newest_estimate
    if newest is None:
        return []
    score, interval = newest.score, newest.score.interval
    within = f" ({metric_interval(newest.metric, interval)})" if interval else ""
    described = f"{describe_metric(newest.metric, score.value)}{within}"
    errors = [
        f"Estimate minus realised, {each.name}: {metric_difference(each.metric, each.error)}."
        for each in report.estimates
        if each.error is not None
    ]
    return [f"Estimated without labels, {newest.name}: {described}.", *errors[-1:]]


def label_sentences(report: QualityReport) -> list[str]:
    """Return how the labels were matched with predictions."""
    counts = report.counts
    sentences = [*report.settings_not_followed]
    sentences += [f"{counted(counts.n_matched, 'label')} of {counts.n_labels:,} match a prediction."]
    if counts.n_waiting:
        n, days = counted(counts.n_waiting, "label"), report.window_days
        sentences.append(f"{n} without a prediction of the last {days:,} days: older, or not recorded yet.")
    if counts.n_conflicts:
        are = "prediction has" if counts.n_conflicts == 1 else "predictions have"
        sentences.append(f"{counts.n_conflicts:,} {are} labels that differ; the last one counts.")
    if counts.n_repeated:
        n = counted(counts.n_repeated, "label")
        sentences.append(
            f"{n} of ids that were scored several times; the latest prediction before it counts."
        )
    return sentences
