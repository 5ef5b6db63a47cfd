"""The daily sweep: uploads whose event was lost, or whose run was cut short, are handed to intake again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.uploads import why_ignored
from mlops.intake.waiting_folders import FolderWatch, WaitingFolder
from mlops.models.objects import ObjectFacts
from mlops.models.record import Record

SETTLING_TIME = timedelta(hours=1)  # longer than a run with its retries; a younger upload may be in work
LOOK_BACK = timedelta(days=14)  # as long as a dead letter is kept


@dataclass(frozen=True, slots=True)
class Recovery(Record):
    """What a sweep found: object versions looked at, uploads handed to intake again, folders left open."""

    n_looked_at: int
    n_recovered: int
    waiting: tuple[WaitingFolder, ...] = ()


def recover_uploads(
    objects: ObjectStore,
    versions: DatasetVersions,
    hand_over: Callable[[Upload], None],
    *,
    bucket: str,
    now: datetime,
) -> Recovery:
    """Hand every upload that intake has not finished to it again.

    Intake takes an upload once however often it is handed over, so a sweep may repeat what another one, or a
    late event, has done. Looks at the versions of the data bucket that are between an hour and 14 days old,
    and names the folders of parts that nobody has closed for a day.

    Parameters
    ----------
    hand_over
        Starts intake for an upload, without waiting for its end.
    """
    n_looked_at = n_recovered = 0
    folders = FolderWatch(now)
    for facts in objects.list_versions(bucket):
        upload = _upload(facts)
        folders.add(upload, facts.stored_at)
        if _is_settled(facts, now) and why_ignored(upload) is None:
            n_looked_at += 1
            if _is_unfinished(upload, versions, now):
                hand_over(upload)
                n_recovered += 1
    return Recovery(n_looked_at, n_recovered, folders.waiting())


def _is_settled(facts: ObjectFacts, now: datetime) -> bool:
    return now - LOOK_BACK <= facts.stored_at <= now - SETTLING_TIME


def _upload(facts: ObjectFacts) -> Upload:
    return Upload(facts.ref.bucket, facts.ref.key, facts.ref.version_id, facts.size_bytes)


def _is_unfinished(upload: Upload, versions: DatasetVersions, now: datetime) -> bool:
    record = versions.find_upload(str(upload.group), upload.upload_id)
    return record is None or (record.is_open and not record.is_held_by_another("", now))
