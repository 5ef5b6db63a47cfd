"""S3 uploads, as EventBridge delivers them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.models.group_name import is_group_name
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

Purpose = Literal["training", "inference", "labels"]
PURPOSES: tuple[Purpose, ...] = ("training", "inference", "labels")  # folders of a group
FEATURES_FOLDER = "_features"  # with a folder for each feature view; no group can have this name

# metadata of a version that no person dropped: rows of a forgotten person were removed, or it was restored
REWRITTEN = "mlops-rewritten"
NO_GROUP = "(no group)"  # where uploads are recorded whose key names no group


@dataclass(frozen=True, slots=True)
class Upload(Record):
    """One version of one object that was dropped into the data bucket."""

    bucket: str
    key: str
    version_id: str | None
    size_bytes: int
    sequencer: str = ""

    @property
    def ref(self) -> ObjectRef:
        """The object version itself."""
        return ObjectRef(self.bucket, self.key, self.version_id)

    @property
    def group(self) -> str | None:
        """The model group, the first folder of the key; None when it cannot be one."""
        first = self.key.split("/", 1)[0]
        return first if "/" in self.key and is_group_name(first) else None

    @property
    def is_in_features(self) -> bool:
        """Whether the object is in the folder of the feature store."""
        return self.key.startswith(f"{FEATURES_FOLDER}/")

    @property
    def view(self) -> str | None:
        """The feature view that the object has values of; None in other folders."""
        parts = self.key.split("/")
        return parts[1] if self.is_in_features and len(parts) > 2 and parts[1] else None

    @property
    def recorded_group(self) -> str:
        """Under which group the upload is recorded: the folder of features too, else `NO_GROUP`."""
        return self.group or (FEATURES_FOLDER if self.is_in_features else NO_GROUP)

    @property
    def purpose(self) -> Purpose | Literal["features"] | None:
        """The second folder of the key, when it is one that starts work; `features` for a feature view."""
        parts = self.key.split("/")
        if self.view is not None:
            return "features"
        return next((p for p in PURPOSES if len(parts) > 2 and parts[1] == p), None)

    @property
    def filename(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[-1]

    @property
    def upload_id(self) -> str:
        """The identity of the work: 32 hex digits over bucket, key and version id (never the event's id)."""
        identity = "\n".join((self.bucket, self.key, self.version_id or ""))
        return hashlib.sha256(identity.encode()).hexdigest()[:32]


def parse_s3_event(event: Mapping[str, Any]) -> Upload:
    """Read an EventBridge "Object Created" event of `aws.s3`.

    EventBridge delivers keys as they are; only classic S3 notifications URL-encode them, so nothing is
    decoded here: `a+b c%20.csv` stays `a+b c%20.csv`.
    """
    detail = event["detail"]
    entry = detail["object"]
    return Upload(
        bucket=detail["bucket"]["name"],
        key=entry["key"],
        version_id=entry.get("version-id"),
        size_bytes=int(entry.get("size", 0)),
        sequencer=entry.get("sequencer", ""),
    )


def s3_event(upload: Upload) -> dict[str, Any]:
    """Return an event that `parse_s3_event` reads as this upload, for an upload whose own event was lost."""
    entry = {"key": upload.key, "size": upload.size_bytes, "sequencer": upload.sequencer}
    if upload.version_id is not None:
        entry["version-id"] = upload.version_id
    return {
        "source": "mlops",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": upload.bucket}, "object": entry},
    }
