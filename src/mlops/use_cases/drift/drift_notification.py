"""Notification of people and other systems about drift."""

from __future__ import annotations

from typing import Any

from mlops.infrastructure.event_names import DRIFT_RESOLVED
from mlops.infrastructure.notifications import Notifier
from mlops.models.drift import DriftReport
from mlops.monitoring.alert_state import NIGHTS_REMEMBERED, NotificationKind
from mlops.monitoring.report.report_text import render_text
from mlops.pages.number_format import listing

_SUBJECTS: dict[NotificationKind, str] = {
    "DriftDetected": "Inputs changed",
    "DriftWarned": f"Inputs changed somewhat in {NIGHTS_REMEMBERED} checks",
    "DriftResolved": "Inputs are back to normal",
}


def notify(kind: NotificationKind, report: DriftReport, *, report_uri: str, notifier: Notifier) -> None:
    """Send the email and publish the event about the report of one night."""
    group = report.model_group or ""
    moved = listing(report.features_with_drift, max_names=3)
    subject = f"{_SUBJECTS[kind]}: {group}"
    if kind == DRIFT_RESOLVED:
        advice = "Nothing to do. The earlier email about this group is settled."
    else:
        subject += f" ({moved})" if moved else ""
        advice = (
            "Look at the report. If the change is permanent, drop newer training data into the bucket.\n"
            f"`mlops snooze {group} --days 7` keeps the next emails and the alarm of this group back."
        )
    body = f"{render_text(report)}\n{advice}\n\nThe whole report, with plots:\n{report_uri}\n"
    notifier.send_email(subject, body, group=group)
    notifier.publish_event(kind, _detail(report, report_uri))


def _detail(report: DriftReport, report_uri: str) -> dict[str, Any]:
    return {
        "group": report.model_group,
        "model_version": report.model_version,
        "verdict": report.verdict,
        "reasons": list(report.reasons),
        "rule": report.rule,
        "drift_score": report.drift_score,
        "features_with_drift": list(report.features_with_drift),
        "n_rows": report.n_rows,
        "window_days": report.window_days,
        "report_uri": report_uri,
    }
