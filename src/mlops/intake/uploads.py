"""Uploads: which objects are processed, and by which run.

A run claims an upload until the time at which it must have ended. Therefore two runs never process the same
upload at once; a retry of the same run (same owner) continues immediately; and after a run was killed, any
other run can claim the upload as soon as the first claim has ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.upload_events import Upload
from mlops.intake.folders import SUCCESS_FILE, closes_folder, is_in_folder
from mlops.models.dataset import Claim, UploadRecord

SETTINGS_FILE = "model.toml"


def why_ignored(upload: Upload) -> str | None:
    """Return why an object is ignored; None when it is processed."""
    if upload.key.endswith("/"):
        return "folder"
    if upload.group is None:
        return "outside_a_group"
    if upload.filename == SETTINGS_FILE and upload.key.count("/") == 1:
        return "settings"
    return _why_not_used(upload)


def _why_not_used(upload: Upload) -> str | None:
    if upload.purpose is None:
        return "outside_training_and_inference"
    if upload.purpose == "labels":
        return "labels_are_not_evaluated"
    if upload.filename.startswith("."):
        return "hidden_file"
    if upload.purpose == "inference" and upload.filename == SUCCESS_FILE:
        return "closes_nothing"  # files to score are not joined: each one is a separate batch
    is_part = is_in_folder(upload) and not closes_folder(upload)
    return "part_of_a_folder" if is_part else None


def claim_until_timeout(owner: str, remaining_ms: int, now: datetime) -> Claim:
    """Return the claim of a run that ends in `remaining_ms` milliseconds at the latest."""
    return Claim(owner, now + timedelta(milliseconds=remaining_ms))


def take_upload(upload: Upload, versions: DatasetVersions, claim: Claim, now: datetime) -> UploadRecord:
    """Record an upload and claim it; the claim was successful when the returned record has it."""
    new = _new_record(upload, str(upload.group), claim, now)
    stored = versions.record_upload(new)
    if stored == new or not stored.is_open or stored.is_held_by_another(claim.owner, now):
        return stored
    return versions.save_upload(stored.changed(claim=claim))


def release_upload(claimed: UploadRecord, versions: DatasetVersions) -> None:
    """Give up a claim after a fault, so that the next run does not have to wait for its end."""
    stored = versions.record_upload(claimed)
    if stored.claim == claimed.claim:
        versions.save_upload(stored.changed(claim=None))


def record_ignored(upload: Upload, reason: str, versions: DatasetVersions, now: datetime) -> bool:
    """Record why an object is ignored; return whether that was recorded before.

    An object outside of all groups is not recorded: its reason is in the log.
    """
    if upload.group is None:
        return False
    record = UploadRecord(
        group=upload.group,
        upload_id=upload.upload_id,
        key=upload.key,
        version_id=upload.version_id,
        state="ignored",
        received_at=now,
        purpose=upload.purpose,
        reason=reason,
        finished_at=now,
    )
    return versions.record_upload(record) != record


def _new_record(upload: Upload, group: str, claim: Claim, now: datetime) -> UploadRecord:
    return UploadRecord(
        group=group,
        upload_id=upload.upload_id,
        key=upload.key,
        version_id=upload.version_id,
        state="received",
        received_at=now,
        purpose=upload.purpose,
        claim=claim,
    )
