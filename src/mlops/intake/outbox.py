"""The outbox of an upload: notifications that are stored with the decision, and sent afterwards.

A notification is removed from the outbox after it was sent. So each one is sent once, except that a run
killed between the two sends one a second time: a repeated email is better than a missing one.
"""

from __future__ import annotations

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.privacy import shown
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.event_names import DATASET_ACCEPTED, DATASET_REJECTED
from mlops.infrastructure.metric_names import UPLOADS_ACCEPTED, UPLOADS_REJECTED
from mlops.infrastructure.notifications import Notifier
from mlops.models.dataset import ValidationReport
from mlops.models.intake.uploads import Notification, UploadRecord
from mlops.models.objects import ObjectRef


def acceptance(
    record: UploadRecord, report: ValidationReport, labels_uri: str | None = None
) -> tuple[Notification, ...]:
    """Return the notifications about a file that was accepted; `labels_uri` is where labels are recorded."""
    detail = {
        "group": record.group,
        "upload_id": record.upload_id,
        "purpose": record.purpose,
        "dataset_id": record.dataset_id,
        "verdict": report.verdict,
        "n_rows": report.n_rows,
        **({"labels_uri": labels_uri} if labels_uri else {}),
    }
    return (
        Notification("event", DATASET_ACCEPTED, detail=detail),
        Notification("metric", UPLOADS_ACCEPTED),
    )


def rejection(
    record: UploadRecord, report: ValidationReport, email: tuple[str, str], file: ObjectRef
) -> tuple[Notification, ...]:
    """Return the notifications about a file that was rejected."""
    detail = {
        "group": record.group,
        "upload_id": record.upload_id,
        "purpose": record.purpose,
        "key": shown(record.key, 1024),
        "rules": rule_ids(report),
        "quarantine_uri": file.uri,
    }
    return (
        as_notification(email),
        Notification("event", DATASET_REJECTED, detail=detail),
        Notification("metric", UPLOADS_REJECTED),
    )


def as_notification(subject_and_body: tuple[str, str]) -> Notification:
    """Return the notification that sends an email."""
    return Notification("mail", *subject_and_body)


def rule_ids(report: ValidationReport) -> tuple[str, ...]:
    """Return the rules with findings that reject or warn, each once."""
    return tuple(dict.fromkeys(finding.rule_id for finding in report.findings if finding.severity != "info"))


def send_outbox(record: UploadRecord, versions: DatasetVersions, notifier: Notifier) -> UploadRecord:
    """Send the notifications that are left for a claimed upload, then release it."""
    while record.outbox:
        first, *rest = record.outbox
        _notify(record.group, first, notifier)
        left = record.changed(outbox=tuple(rest), claim=record.claim if rest else None)
        record = versions.save_upload(left)
        if record != left:
            break  # the claim has ended and another run continues
    return record


def _notify(group: str, notification: Notification, notifier: Notifier) -> None:
    match notification.kind:
        case "mail":
            notifier.send_email(notification.title, notification.text, group=group)
        case "event":
            notifier.publish_event(notification.title, notification.detail)
        case "metric":
            notifier.publish_metrics([Metric(notification.title, 1)], group=group)
