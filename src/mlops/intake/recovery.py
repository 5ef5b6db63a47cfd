"""The daily sweep of the data bucket, for uploads that were not finished and folders that were not closed.

An upload is not finished when its event was lost or its run was cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.privacy import shown
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import UPLOAD_SWEEPS_COMPLETED, UPLOADS_RECOVERED
from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.folders import SUCCESS_FILE, closes_folder, folder_of, is_in_folder, is_part_name
from mlops.intake.uploads import SETTLING_TIME, why_ignored
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectFacts
from mlops.models.record import Record

LOOK_BACK = timedelta(days=14)  # as long as a dead letter is kept
CLOSING_TIME = timedelta(days=1)  # after the newest part of a folder


@dataclass(frozen=True, slots=True)
class WaitingFolder(Record):
    """A folder with parts that are newer than any object that closes it; `n_parts` counts those."""

    group: str
    folder: str
    n_parts: int


@dataclass(frozen=True, slots=True)
class Recovery(Record):
    """The result of a sweep: object versions checked, uploads given to intake again, folders not closed."""

    n_looked_at: int
    n_recovered: int
    waiting: tuple[WaitingFolder, ...] = ()


def recover_uploads(
    objects: ObjectStore,
    versions: DatasetVersions,
    start_intake: Callable[[Upload], None],
    hold: Callable[[UploadRecord], None],
    *,
    bucket: str,
    now: datetime,
) -> Recovery:
    """Start intake for every upload that it has not finished.

    Intake processes an upload once however often it is started, so a sweep may repeat what another one, or a
    late event, has done. Checks the versions in the data bucket that are between an hour and 14 days old, and
    names the folders of parts that have been waiting for a day.

    Parameters
    ----------
    start_intake
        Starts intake for an upload, without waiting for its end.
    hold
        Takes an upload that waits for a digest.
    """
    n_looked_at = n_recovered = 0
    folders = _Folders(now)
    for facts in objects.list_versions(bucket):
        upload = Upload(facts.ref.bucket, facts.ref.key, facts.ref.version_id, facts.size_bytes)
        folders.add(upload, facts.stored_at)
        if _is_settled(facts, now) and why_ignored(upload) is None:
            n_looked_at += 1
            record = versions.find_upload(upload.recorded_group, upload.upload_id)
            if record is None or _is_unfinished(record, now):
                start_intake(upload)
                n_recovered += 1
            elif record.digest is not None:
                hold(record)
    return Recovery(n_looked_at, n_recovered, folders.waiting())


def notify_recovery(recovery: Recovery, notifier: Notifier) -> None:
    """Send an email about each folder that waits, then publish the counts of the sweep."""
    for waiting in recovery.waiting:
        notifier.send_email(*compose_waiting(waiting), group=waiting.group)
    metrics = [Metric(UPLOADS_RECOVERED, recovery.n_recovered), Metric(UPLOAD_SWEEPS_COMPLETED, 1)]
    notifier.publish_metrics(metrics, group=None)


def compose_waiting(waiting: WaitingFolder) -> tuple[str, str]:
    """Return subject and body of the email about a folder of parts that was not closed."""
    folder = shown(waiting.folder, 200)
    count = f"{waiting.n_parts} part{'' if waiting.n_parts == 1 else 's'}"
    body = (
        f"The folder {folder} has {count}, and for a day no other part was added.\n"
        "Parts are used when the folder is marked as complete, and this one is not.\n\n"
        f"If it is complete, drop an empty file {SUCCESS_FILE} into it:\n{waiting.folder}{SUCCESS_FILE}\n\n"
        "A file that is a whole table belongs one level up, straight into training/.\n"
    )
    return f"[{waiting.group}] {shown(waiting.folder.split('/', 2)[-1], 80)} waits to be closed", body


def _is_settled(facts: ObjectFacts, now: datetime) -> bool:
    return now - LOOK_BACK <= facts.stored_at <= now - SETTLING_TIME


def _is_unfinished(record: UploadRecord, now: datetime) -> bool:
    return record.is_open and not record.is_held_by_another("", now)


@dataclass(slots=True)
class _Folder:
    """The objects of one folder: when each part was stored, and when the folder was last closed."""

    group: str
    parts: dict[str, datetime]
    closed_at: datetime | None = None

    def is_waiting(self, now: datetime) -> bool:
        """Whether the newest part is one day old, but not yet two: a daily sweep reports it once."""
        newest = max(self.parts.values())
        is_closed = self.closed_at is not None and self.closed_at >= newest
        return not is_closed and CLOSING_TIME <= now - newest < 2 * CLOSING_TIME


class _Folders:
    """Collects the folders of parts from a listing, in memory that grows with the parts of young folders."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._folders: dict[str, _Folder] = {}

    def add(self, upload: Upload, stored_at: datetime) -> None:
        """Add an object of the data bucket; objects outside of folders of parts are ignored."""
        if upload.group is None or not is_in_folder(upload) or stored_at < self._now - 2 * CLOSING_TIME:
            return
        folder = self._folders.setdefault(folder_of(upload), _Folder(upload.group, {}))
        if closes_folder(upload):
            folder.closed_at = max(stored_at, folder.closed_at or stored_at)
        elif is_part_name(upload.filename):
            folder.parts[upload.key] = stored_at

    def waiting(self) -> tuple[WaitingFolder, ...]:
        """Return the folders that are waiting to be closed, in the order of their names."""
        return tuple(
            WaitingFolder(folder.group, name, len(folder.parts))
            for name, folder in sorted(self._folders.items())
            if folder.parts and folder.is_waiting(self._now)
        )
