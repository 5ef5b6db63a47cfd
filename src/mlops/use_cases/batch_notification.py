"""Notification of people, systems and dashboards that predictions are ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlops.dataset.privacy import shown
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.event_names import PREDICTIONS_READY
from mlops.infrastructure.metric_names import DRIFT_SCORE, FEATURES_WITH_DRIFT, ROWS_SCORED
from mlops.infrastructure.notifications import Notifier
from mlops.links.link import LIFETIMES, Purpose
from mlops.models.drift.report import DriftReport
from mlops.models.scoring.batch import BatchSummary
from mlops.models.scoring.result import DataQuality
from mlops.monitoring.report.report_text import changes_of_reasons, has_only_reasons, verdict_line
from mlops.pages.number_format import counted, rows, usd
from mlops.pipelines.jobs.prices import LIST_PRICES

_MAX_FEATURES_NAMED = 5


@dataclass(frozen=True, slots=True)
class BatchNotifier:
    """Notifies people, systems and dashboards of a scored batch; `link_to` returns its page."""

    notifier: Notifier
    link_to: Callable[[BatchSummary], str]

    def __call__(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        """Publish the metrics, then the event, then send the email."""
        self.notifier.publish_metrics(_metrics(summary), group=summary.group)
        self.notifier.publish_event(PREDICTIONS_READY, summary.to_dict())
        subject, body = compose_email(summary, quality, drift, self.link_to(summary))
        self.notifier.send_email(subject, body, group=summary.group)


def compose_email(
    summary: BatchSummary, quality: DataQuality, drift: DriftReport | None, link: str
) -> tuple[str, str]:
    """Return subject and body of the email in short lines: columns and counts, never a person.

    `link` is the address of the page of the batch.
    """
    name, n_scored = shown(summary.file_name), summary.n_scored
    subject = f"{summary.group}: {counted(n_scored, 'prediction')} of {name} {_are(n_scored)} ready"
    n_bad = summary.n_rows - n_scored
    lines = [f"{rows(n_scored)} of {name} {'was' if n_scored == 1 else 'were'} scored."]
    if n_bad:
        lines.append(f"{rows(n_bad)} {_are(n_bad)} without a prediction; the status of each row says why.")
    days = LIFETIMES[Purpose.RESULT].days
    lines += ["", f"Result and download ({days} days, for readers of this email):", link]
    lines += ["", "Stored as:", summary.predictions_uri]
    if drift is not None:
        subject += _subject_note(drift)
        lines += ["", _verdict_sentence(drift)]
        lines += [f"- {drift.predictions[name].description}" for name in drift.predictions_with_drift]
        lines += [f"- {_describe(drift, name)}" for name in drift.features_with_drift[:_MAX_FEATURES_NAMED]]
        more = len(drift.features_with_drift) - _MAX_FEATURES_NAMED
        lines += [f"- and {more} more"] if more > 0 else []
        lines += [f"- {change}" for change in changes_of_reasons(drift)]
        lines += ["", verdict_line(drift), *([f"Rule: {drift.rule}"] if drift.rule else [])]
    if quality.findings:
        lines += ["", "Findings in the file:", *(f"- {finding}" for finding in quality.findings)]
    if summary.cost_usd is not None:
        lines += ["", f"Cost of scoring, by {LIST_PRICES}: {usd(summary.cost_usd)}"]
    return subject, "\n".join(lines) + "\n"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _metrics(summary: BatchSummary) -> list[Metric]:
    metrics = [Metric(ROWS_SCORED, summary.n_scored)]
    if summary.drift_score is not None and summary.drift_verdict != "INSUFFICIENT_DATA":
        metrics.append(Metric(DRIFT_SCORE, summary.drift_score, "None"))
        metrics.append(Metric(FEATURES_WITH_DRIFT, len(summary.features_with_drift)))
    return metrics


def _subject_note(drift: DriftReport) -> str:
    if drift.predictions_with_drift and not drift.features_with_drift:
        return ", predictions have changed" + ("" if drift.prediction_verdict == "ALERT" else " somewhat")
    if has_only_reasons(drift):
        return ", reasons of predictions have changed"
    if drift.verdict in ("ALERT", "WARN") and not drift.features_with_drift:
        return ", with remarks"
    return {"ALERT": ", inputs have changed", "WARN": ", inputs have changed somewhat"}.get(drift.verdict, "")


def _verdict_sentence(drift: DriftReport) -> str:
    if drift.verdict == "INSUFFICIENT_DATA":
        return f"{rows(drift.n_rows)} {_are(drift.n_rows)} too few to tell whether the inputs have changed."
    if not drift.features_with_drift and drift.verdict == "OK":
        return "The inputs look like those that the model was trained on."
    if drift.predictions_with_drift and not drift.features_with_drift:
        return (
            "The predictions have changed: their values are distributed differently from those of the rows "
            "that were held out of training."
        )
    if has_only_reasons(drift):
        return (
            "The reasons of the predictions have changed: other columns move them than those of the rows "
            "that were held out of training."
        )
    if not drift.features_with_drift:
        return (
            "The inputs that the model uses have not drifted, but the drift report has remarks on the file."
        )
    return (
        "The inputs have changed since training. That does not make the predictions wrong, "
        "but look at them with care:"
    )


def _describe(drift: DriftReport, name: str) -> str:
    description = drift.features[name].description
    return description if description.startswith(name) else f"{name}: {description}"
