"""What intake announces: written down with the decision, said afterwards.

An announcement leaves the outbox after it was made. So everything is said once, and a run that is killed
between the two says one thing a second time: better a mail twice than a file that vanished without a word.
"""

from __future__ import annotations

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.privacy import shown
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.event_names import DATASET_ACCEPTED, DATASET_REJECTED
from mlops.infrastructure.metric_names import UPLOADS_ACCEPTED, UPLOADS_REJECTED
from mlops.infrastructure.notifications import Notifier
from mlops.models.dataset import Notification, UploadRecord, ValidationReport
from mlops.models.objects import ObjectRef


def acceptance(done: UploadRecord, report: ValidationReport) -> tuple[Notification, ...]:
    """Return what is said about a file that was accepted."""
    detail = {
        "group": done.group,
        "upload_id": done.upload_id,
        "purpose": done.purpose,
        "dataset_id": done.dataset_id,
        "verdict": report.verdict,
        "n_rows": report.n_rows,
    }
    return (
        Notification("event", DATASET_ACCEPTED, detail=detail),
        Notification("metric", UPLOADS_ACCEPTED),
    )


def rejection(
    done: UploadRecord, report: ValidationReport, mail: tuple[str, str], place: ObjectRef
) -> tuple[Notification, ...]:
    """Return what is said about a file that was refused."""
    detail = {
        "group": done.group,
        "upload_id": done.upload_id,
        "purpose": done.purpose,
        "key": shown(done.key, 1024),
        "rules": rule_ids(report),
        "quarantine_uri": place.uri,
    }
    return (
        mail_of(mail),
        Notification("event", DATASET_REJECTED, detail=detail),
        Notification("metric", UPLOADS_REJECTED),
    )


def mail_of(subject_and_body: tuple[str, str]) -> Notification:
    """Return a mail as an announcement."""
    return Notification("mail", *subject_and_body)


def rule_ids(report: ValidationReport) -> tuple[str, ...]:
    """Return the rules that found something worth acting on, each once."""
    return tuple(dict.fromkeys(finding.rule_id for finding in report.findings if finding.severity != "info"))


def empty_outbox(record: UploadRecord, versions: DatasetVersions, notifier: Notifier) -> UploadRecord:
    """Announce what is left to say about a claimed upload, then release it."""
    while record.outbox:
        first, *rest = record.outbox
        _notify(record.group, first, notifier)
        left = record.changed(outbox=tuple(rest), claim=record.claim if rest else None)
        record = versions.save_upload(left)
        if record != left:
            break  # the claim has ended and somebody else goes on
    return record


def _notify(group: str, announcement: Notification, notifier: Notifier) -> None:
    match announcement.kind:
        case "mail":
            notifier.send_email(announcement.title, announcement.text, group=group)
        case "event":
            notifier.publish_event(announcement.title, announcement.detail)
        case "metric":
            notifier.publish_metrics([Metric(announcement.title, 1)], group=group)
