"""Notification of people and other systems about drift."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.event_names import DRIFT_DETECTED
from mlops.infrastructure.notifications import Notifier
from mlops.models.drift import DriftReport
from mlops.monitoring.alert_state import NotificationKind
from mlops.monitoring.report.report_text import render_text
from mlops.pages.number_format import listing


def notify(kind: NotificationKind, report: DriftReport, *, report_uri: str, notifier: Notifier) -> None:
    """Send the email and publish the event about the report of one night."""
    group = report.model_group or ""
    if kind == DRIFT_DETECTED:
        moved = listing(report.features_with_drift, max_names=3)
        subject = f"Inputs changed: {group}" + (f" ({moved})" if moved else "")
        advice = "Look at the report. If the change is permanent, drop newer training data into the bucket."
    else:
        subject = f"Inputs are back to normal: {group}"
        advice = "Nothing to do. The earlier alert about this group is over."
    body = f"{render_text(report)}\n{advice}\n\nThe whole report, with plots:\n{report_uri}\n"
    notifier.send_email(subject, body, group=group)
    notifier.publish_event(kind, _detail(report, report_uri))


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
