"""Uploads: which objects are processed, and by which run.

A run claims an upload until the time at which it must have ended. Therefore two runs never process the same
upload at once; a retry of the same run (same owner) continues immediately; and after a run was killed, any
other run can claim the upload as soon as the first claim has ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.folders import closes_folder, is_closing_name, is_in_folder
from mlops.intake.placement.names import why_ignored_name
from mlops.intake.placement.placement import why_misplaced
from mlops.models.intake.uploads import Claim, UploadRecord, UploadState

SETTLING_TIME = timedelta(hours=1)  # longer than a run with its retries; a younger upload may be in progress
EMPTY = "empty"
# reasons for which nothing is wrong with an ignored object
USED_OTHERWISE = ("folder", "part_of_a_folder", "mark_of_features", "rewritten")


def why_ignored(upload: Upload) -> str | None:
    """Return why nothing is done with an object and no one is notified; None when there is an answer."""
    if upload.key.endswith("/"):
        return "folder"
    reason = why_ignored_name(upload.key)
    if reason is None and why_misplaced(upload):
        is_mark = is_closing_name(upload.filename)
        reason = EMPTY if upload.size_bytes == 0 and not is_mark else None
    elif reason is None and is_in_folder(upload) and not closes_folder(upload):
        reason = "part_of_a_folder"
    elif reason is None and upload.view and is_closing_name(upload.filename):
        reason = "mark_of_features"  # each file is stored alone, so nothing waits for a mark
    return reason


def claim_until_timeout(owner: str, remaining_ms: int, now: datetime) -> Claim:
    """Return the claim of a run that ends in `remaining_ms` milliseconds at the latest."""
    return Claim(owner, now + timedelta(milliseconds=remaining_ms))


def take_upload(upload: Upload, versions: DatasetVersions, claim: Claim, now: datetime) -> UploadRecord:
    """Record an upload and claim it; the claim was successful when the returned record has it.

    An upload that was given up is started again: only a person sends its event once more.
    """
    new = new_record(upload, "received", now, claim=claim, n_attempts=1)
    stored = versions.record_upload(new)
    if stored == new or stored.is_held_by_another(claim.owner, now):
        return stored
    if stored.state == "failed" and not stored.outbox:
        reset = {"state": "received", "reason": None, "finished_at": None, "fault": None}
        return versions.save_upload(stored.changed(claim=claim, n_attempts=1, **reset))
    if not stored.is_open:
        return stored
    is_retried = stored.state != "waiting"  # a file that waits did not fail
    return versions.save_upload(stored.changed(claim=claim, n_attempts=stored.n_attempts + is_retried))


def release_upload(claimed: UploadRecord, versions: DatasetVersions, *, fault: str) -> None:
    """Give up a claim after a fault, so that the next run does not have to wait for its end."""
    stored = versions.record_upload(claimed)
    if stored.claim == claimed.claim:
        versions.save_upload(stored.changed(claim=None, fault=fault))


def record_ignored(upload: Upload, reason: str, versions: DatasetVersions, now: datetime) -> bool:
    """Record why an object is ignored; return whether that was recorded before."""
    return not versions.add_upload(new_record(upload, "ignored", now, reason=reason, finished_at=now))


def new_record(upload: Upload, state: UploadState, now: datetime, **facts: Any) -> UploadRecord:
    """Return the first record of an upload."""
    return UploadRecord(
        group=upload.recorded_group,
        upload_id=upload.upload_id,
        key=upload.key,
        version_id=upload.version_id,
        state=state,
        received_at=now,
        purpose=upload.purpose,
        **facts,
    )
