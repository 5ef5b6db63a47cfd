"""Objects without content: some programs write one before the file, under the same key."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.metric_names import UPLOADS_IGNORED
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.placement.folders import closes_folder, is_closing_name
from mlops.intake.placement.placement import is_settings_file
from mlops.intake.uploads import EMPTY, SETTLING_TIME, new_record
from mlops.models.errors import ObjectNotFoundError
from mlops.models.intake.uploads import Notification
from mlops.models.objects import ObjectRef


def waits_for_content(upload: Upload, versions: DatasetVersions, now: datetime) -> bool:
    """Record an object without content where a file is expected; whether a file may still follow it.

    After the settling time the daily sweep starts intake once more, and the object is judged as it is.
    """
    is_file = not is_closing_name(upload.filename) and not is_settings_file(upload)
    if upload.size_bytes or not is_file:
        return False
    stored = versions.record_upload(new_record(upload, "received", now))
    return stored.state == "received" and now < stored.received_at + SETTLING_TIME


def is_followed(upload: Upload, objects: ObjectStore) -> bool:
    """Return whether an object without content was replaced or removed since."""
    if upload.size_bytes or closes_folder(upload):
        return False
    try:
        newest = objects.head(ObjectRef(upload.bucket, upload.key))
    except ObjectNotFoundError:
        return True
    return newest.ref.version_id != upload.version_id


def ignore_empty(attempt: Attempt) -> Decision:
    """Ignore an object without content that another one has followed."""
    ignored = attempt.record.changed(state="ignored", reason=EMPTY, finished_at=attempt.now)
    return Decision(replace(ignored, outbox=(Notification("metric", UPLOADS_IGNORED),)))
