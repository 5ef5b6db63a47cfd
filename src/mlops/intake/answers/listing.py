"""Which uploads were not used, and why, in words."""

from __future__ import annotations

from mlops.intake.placement.names import IGNORED_BECAUSE
from mlops.intake.placement.placement import MISPLACED
from mlops.intake.uploads import EMPTY, USED_OTHERWISE
from mlops.models.intake.uploads import UploadRecord

_BECAUSE = {
    **IGNORED_BECAUSE,
    **MISPLACED,
    EMPTY: "it has no content",
    "deleted": "it was deleted before it was read",
}


def is_unused(upload: UploadRecord) -> bool:
    """Whether nothing was done with an upload: it was ignored or given up."""
    return upload.state == "failed" or (upload.state == "ignored" and upload.reason not in USED_OTHERWISE)


def why_unused(upload: UploadRecord) -> str:
    """Return why an upload was not used, in words."""
    reason = upload.reason or ""
    if upload.state == "failed":
        return f"given up after several attempts: {reason}"
    return _BECAUSE.get(reason, reason.replace("_", " "))
