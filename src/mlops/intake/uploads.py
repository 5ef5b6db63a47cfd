"""Uploads: which objects are worked on, and by whom.

A delivery takes an upload with a claim that ends when its run must have ended. Two deliveries at once
therefore never both work on it; a retry of the same run (same owner) goes on at once; and when a run was
killed any other delivery takes over as soon as its claim has ended.
"""

from __future__ import annotations

from datetime import datetime

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.upload_events import Upload
from mlops.intake.folders import SUCCESS_FILE, closes_folder, lies_in_folder
from mlops.models.dataset import Claim, UploadRecord

SETTINGS_FILE = "model.toml"


def why_ignored(upload: Upload) -> str | None:
    """Return why an object starts nothing, or None when it is a file to work on."""
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
        return "closes_nothing"  # files to score are not joined: each is a batch of its own
    is_part = lies_in_folder(upload) and not closes_folder(upload)
    return "part_of_a_folder" if is_part else None


def take_upload(upload: Upload, versions: DatasetVersions, claim: Claim, now: datetime) -> UploadRecord:
    """Record an upload and take it for work; it is taken when the returned record carries the claim."""
    fresh = _new_record(upload, str(upload.group), claim, now)
    stored = versions.record_upload(fresh)
    if stored == fresh or not stored.is_open or stored.is_held_by_another(claim.owner, now):
        return stored
    return versions.save_upload(stored.changed(claim=claim))


def release_upload(taken: UploadRecord, versions: DatasetVersions) -> None:
    """Give an upload back after a fault, so that the next delivery need not wait for the claim's end."""
    stored = versions.record_upload(taken)
    if stored.claim == taken.claim:
        versions.save_upload(stored.changed(claim=None))


def record_ignored(upload: Upload, reason: str, versions: DatasetVersions, now: datetime) -> bool:
    """Record why an object starts nothing; return whether that was known already.

    An object outside of every group has no place in the records: its reason stands in the log.
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
