"""Notification of people and other systems about drift, and about how files arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Protocol

from mlops.infrastructure.event_names import DRIFT_RESOLVED
from mlops.infrastructure.notifications import Notifier
from mlops.models.drift.report import DriftReport
from mlops.monitoring.alert_state import NIGHTS_REMEMBERED, NotificationKind, Topic
from mlops.monitoring.report.report_text import changes_of_inputs, has_only_reasons, render_text
from mlops.pages.number_format import listing
from mlops.use_cases.drift.arrivals_notification import ARRIVAL_EVENTS, arrivals_detail, compose_arrivals

_SUBJECTS: dict[NotificationKind, str] = {
    "DriftDetected": "Inputs changed",
    "DriftWarned": f"Inputs changed somewhat in {NIGHTS_REMEMBERED} checks",
    "DriftResolved": "Back to normal",
}


type Compose = Callable[[str], tuple[str, str]]


class PersonalEmails(Protocol):
    """Emails with a link that only its receiver gets."""

    def send(self, group: str, night: date, compose: Compose) -> int:
        """Email every approver a personal link to the alert of a night; return how many emails were sent.

        `compose` returns subject and body for the lines with the link.
        """


def notify(
    kind: NotificationKind,
    report: DriftReport,
    night: date,
    *,
    report_uri: str,
    notifier: Notifier,
    personal: PersonalEmails,
    topic: Topic = "drift",
) -> None:
    """Send the emails and publish the event about the report of one night.

    An alert is emailed to each approver with a personal link. Its end, and an alert where there is no
    approver, is emailed to the subscribers of the notifications.
    """
    group = report.model_group or ""

    def compose(link_text: str) -> tuple[str, str]:
        write = _compose if topic == "drift" else compose_arrivals
        return write(kind, report, report_uri, link_text)

    if kind == DRIFT_RESOLVED or not personal.send(group, night, compose):
        notifier.send_email(*compose(""), group=group)
    if topic == "drift":
        notifier.publish_event(kind, _detail(report, report_uri))
    else:
        notifier.publish_event(ARRIVAL_EVENTS[kind], arrivals_detail(report, report_uri))


def _compose(kind: NotificationKind, report: DriftReport, report_uri: str, link_text: str) -> tuple[str, str]:
    """Return subject and body of the email."""
    group = report.model_group or ""
    names = report.features_with_drift or report.predictions_with_drift or report.reasons_with_drift
    moved = listing(names, max_names=3)
    subject = f"{_subject(kind, report)}: {group}"
    if kind == DRIFT_RESOLVED:
        advice = "Nothing to do. The earlier email about this group is settled."
    else:
        subject += f" ({moved})" if moved else ""
        advice = (
            "Look at the report. If the change is permanent, drop newer training data into the bucket.\n"
            f"`mlops snooze {group} --days 7` keeps the next emails and the alarm of this group back."
        )
        advice += f"\n\nAcknowledge or snooze this alert here:\n{link_text}" if link_text else ""
    return subject, f"{render_text(report)}\n{advice}\n\nThe whole report, with plots:\n{report_uri}\n"


def _subject(kind: NotificationKind, report: DriftReport) -> str:
    has_only_predictions = report.predictions_with_drift and not changes_of_inputs(report)
    what = _SUBJECTS[kind]
    if has_only_reasons(report):
        return what.replace("Inputs", "Reasons of predictions")
    return what.replace("Inputs", "Predictions") if has_only_predictions else what


def _detail(report: DriftReport, report_uri: str) -> dict[str, Any]:
    return {
        "group": report.model_group,
        "model_version": report.model_version,
        "verdict": report.verdict,
        "reasons": list(report.reasons),
        "rule": report.rule,
        "drift_score": report.drift_score,
        "features_with_drift": list(report.features_with_drift),
        "prediction_verdict": report.prediction_verdict,
        "prediction_drift_score": report.prediction_drift_score,
        "reasons_with_drift": list(report.reasons_with_drift),
        "reason_drift_score": report.reason_drift_score,
        "n_rows": report.n_rows,
        "window_days": report.window_days,
        "report_uri": report_uri,
    }
