"""Telling people and other systems about drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from mlops.infrastructure.cloudwatch import Metric, publish
from mlops.infrastructure.eventbridge import publish_event
from mlops.infrastructure.sns import send_mail
from mlops.models.drift import DriftReport
from mlops.monitoring.alert_state import AnnouncementKind
from mlops.monitoring.report_text import render_text
from mlops.monitoring.wording import listing


class Announcer(Protocol):
    """Where the nightly check speaks. Every call may be repeated after a crash."""

    def mail(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text mail to whoever follows the group."""

    def event(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Publish an event that other systems can react to."""

    def metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish numbers, for the stack and, when given, for the group."""


class AwsAnnouncer:
    """Speaks through SNS, EventBridge and CloudWatch."""

    def __init__(self, *, topic_arn: str, event_bus_name: str, metrics_namespace: str) -> None:
        self._topic_arn = topic_arn
        self._event_bus_name = event_bus_name
        self._metrics_namespace = metrics_namespace

    def mail(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text mail."""
        send_mail(self._topic_arn, subject, body, attributes={"model_group": group})

    def event(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Publish an event."""
        publish_event(detail_type, detail, self._event_bus_name)

    def metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish numbers."""
        publish(self._metrics_namespace, metrics, group=group)


def announce(kind: AnnouncementKind, report: DriftReport, *, report_uri: str, announcer: Announcer) -> None:
    """Send the mail and the event about the report of one night."""
    group = report.model_group or ""
    if kind == "DriftDetected":
        moved = listing(report.features_with_drift, most=3)
        subject = f"Inputs changed: {group}" + (f" ({moved})" if moved else "")
        advice = (
            "Look at the report. If the change is here to stay, drop newer training data into the bucket."
        )
    else:
        subject = f"Inputs are back to normal: {group}"
        advice = "Nothing to do. The earlier alert about this group is over."
    body = f"{render_text(report)}\n{advice}\n\nThe whole report, with plots:\n{report_uri}\n"
    announcer.mail(subject, body, group=group)
    announcer.event(kind, _detail(report, report_uri))


def _detail(report: DriftReport, report_uri: str) -> dict[str, Any]:
    return {
        "group": report.model_group,
        "model_version": report.model_version,
        "verdict": report.verdict,
        "drift_score": report.drift_score,
        "features_with_drift": list(report.features_with_drift),
        "n_rows": report.n_rows,
        "window_days": report.window_days,
        "report_uri": report_uri,
    }
