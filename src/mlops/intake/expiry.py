"""Uploads that were used and are older than the stack keeps them are deleted from the data bucket."""

from __future__ import annotations

from datetime import datetime, timedelta

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.placement import is_settings_file
from mlops.intake.recovery import LOOK_BACK


def expire_uploads(
    objects: ObjectStore, versions: DatasetVersions, *, bucket: str, days: int, now: datetime
) -> int:
    """Delete the versions of uploads that are older than `days`, and return how many; 0 days keep all.

    Settings stay, and so does a file that is not decided: one that waits for a champion, or one that a sweep
    may still hand to intake.
    """
    if days == 0:
        return 0
    n_deleted = 0
    for facts in list(objects.list_versions(bucket)):
        upload = Upload(facts.ref.bucket, facts.ref.key, facts.ref.version_id, facts.size_bytes)
        age = now - facts.stored_at
        if age <= timedelta(days=days) or is_settings_file(upload):
            continue
        record = versions.find_upload(upload.recorded_group, upload.upload_id)
        if age > LOOK_BACK if record is None else not record.is_open:
            objects.delete(facts.ref)
            n_deleted += 1
    return n_deleted
