"""Notification of people, systems and dashboards that predictions are ready."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.event_names import PREDICTIONS_READY
from mlops.infrastructure.metric_names import DRIFT_SCORE, FEATURES_WITH_DRIFT, ROWS_SCORED
from mlops.infrastructure.notifications import Notifier
from mlops.models.drift import DriftReport
from mlops.models.training import DataQuality
from mlops.pages.number_format import rows
from mlops.use_cases.score_batch import BatchSummary

_MAX_FEATURES_NAMED = 5


@dataclass(frozen=True, slots=True)
class BatchNotifier:
    """Notifies people, systems and dashboards of a scored batch."""

    notifier: Notifier

    def __call__(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        """Publish the metrics, then the event, then send the email."""
        self.notifier.publish_metrics(_metrics(summary), group=summary.group)
        self.notifier.publish_event(PREDICTIONS_READY, summary.to_dict())
        self.notifier.send_email(*compose_email(summary, quality, drift), group=summary.group)


def compose_email(summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> tuple[str, str]:
    """Return subject and body of the email in short lines: columns and counts, never a person."""
    lines = [
        f"{rows(summary.n_rows)} of {summary.group} {'was' if summary.n_rows == 1 else 'were'} scored.",
        "",
        "Predictions:",
        summary.predictions_uri,
    ]
    count = "1 prediction is" if summary.n_rows == 1 else f"{summary.n_rows:,} predictions are"
    subject = f"{summary.group}: {count} ready"
    if drift is not None:
        subject += _subject_note(drift)
        lines += ["", _verdict_sentence(drift)]
        lines += [f"- {_describe(drift, name)}" for name in drift.features_with_drift[:_MAX_FEATURES_NAMED]]
        more = len(drift.features_with_drift) - _MAX_FEATURES_NAMED
        lines += [f"- and {more} more"] if more > 0 else []
        lines += ["", "Drift report:", summary.report_uri or ""]
    if quality.findings:
        lines += ["", "Findings in the file:", *(f"- {finding}" for finding in quality.findings)]
    return subject, "\n".join(lines) + "\n"


def _metrics(summary: BatchSummary) -> list[Metric]:
    metrics = [Metric(ROWS_SCORED, summary.n_rows)]
    if summary.drift_score is not None:
        metrics.append(Metric(DRIFT_SCORE, summary.drift_score, "None"))
        metrics.append(Metric(FEATURES_WITH_DRIFT, len(summary.features_with_drift)))
    return metrics


def _subject_note(drift: DriftReport) -> str:
    if drift.verdict in ("ALERT", "WARN") and not drift.features_with_drift:
        return ", with remarks"
    return {"ALERT": ", inputs have changed", "WARN": ", inputs have changed somewhat"}.get(drift.verdict, "")


def _verdict_sentence(drift: DriftReport) -> str:
    if drift.verdict == "INSUFFICIENT_DATA":
        are = "is" if drift.n_rows == 1 else "are"
        return f"{rows(drift.n_rows)} {are} too few to tell whether the inputs have changed."
    if not drift.features_with_drift and drift.verdict == "OK":
        return "The inputs look like those that the model was trained on."
    if not drift.features_with_drift:
        return (
            "The inputs that the model uses have not drifted, but the drift report has remarks on the file."
        )
    if drift.verdict == "OK":
        return "Some inputs have changed since training, but none that matters much to the model:"
    return (
        "The inputs have changed since training. That does not make the predictions wrong, "
        "but look at them with care:"
    )


def _describe(drift: DriftReport, name: str) -> str:
    description = drift.features[name].description
    return description if description.startswith(name) else f"{name}: {description}"
