"""Uploads that no run could process: after several attempts they are given up, once and with a reason."""

from __future__ import annotations

from mlops.dataset.limits import MIB
from mlops.dataset.privacy import shown
from mlops.infrastructure.event_names import UPLOAD_FAILED
from mlops.infrastructure.metric_names import UPLOADS_FAILED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.outbox import as_notification
from mlops.models.intake.uploads import Notification

MAX_ATTEMPTS = 9  # an event and two daily sweeps, each with two repetitions
# time and memory of a run are always the same: a large file that is cut short twice is cut short again
MAX_CUT_SHORT = 2
LARGE_BYTES = 16 * MIB

_CUT_SHORT = "CutShort"
_SMALLER = {
    "training": "upload the table as a folder of parts, each of which is read by a run of its own",
    "inference": "split the file into several",
    "features": "split the file into several",
}


def is_given_up(attempt: Attempt) -> bool:
    """Whether an upload was tried so often that no run reads it again."""
    record = attempt.record
    if record.n_attempts > MAX_ATTEMPTS:
        return True
    is_large = attempt.upload.size_bytes >= LARGE_BYTES
    return is_large and record.fault is None and record.n_attempts > MAX_CUT_SHORT


def give_up(attempt: Attempt) -> Decision:
    """Record that the upload cannot be processed, so that neither a retry nor the sweep starts it again."""
    upload, reason = attempt.upload, attempt.record.fault or _CUT_SHORT
    detail = {
        "group": upload.group,
        "upload_id": upload.upload_id,
        "key": shown(upload.key, 1024),
        "reason": reason,
    }
    failed = attempt.record.changed(
        state="failed",
        reason=reason,
        finished_at=attempt.now,
        outbox=(
            as_notification(compose_failure(upload, reason)),
            Notification("event", UPLOAD_FAILED, detail=detail),
            Notification("metric", UPLOADS_FAILED),
        ),
    )
    return Decision(failed)


def compose_failure(upload: Upload, reason: str) -> tuple[str, str]:
    """Return subject and body of the email about an upload that was given up."""
    is_too_large = reason == _CUT_SHORT and upload.size_bytes >= LARGE_BYTES
    cause = _too_large(upload) if is_too_large else _failed_always(upload, reason)
    body = f"{cause}\n\nThe file is where you put it.\n\nUpload {upload.upload_id}\n"
    return f"[{upload.recorded_group}] {shown(upload.filename, 60)} could not be processed", body


def _too_large(upload: Upload) -> str:
    size, smaller = upload.size_bytes // MIB, _SMALLER[str(upload.purpose)]
    return (
        f"{shown(upload.key, 200)} is too large for one run of ReceiveUploadFunction: each of them was cut\n"
        f"short, after 15 minutes or for lack of memory. The file has {size:,} MiB.\n\n"
        f"What to do: {smaller}. Or leave out\nrows or columns that the model does not need."
    )


def _failed_always(upload: Upload, reason: str) -> str:
    cause = (
        "each run was cut short, by its time limit or for lack of memory"
        if reason == _CUT_SHORT
        else f"the last error was {reason}"
    )
    return (
        f"{shown(upload.key, 200)} could not be processed in {MAX_ATTEMPTS} attempts: {cause}.\n\n"
        "What to do: read the log of ReceiveUploadFunction and correct the cause. Then drop the file again,\n"
        "or send its event again with `mlops replay UploadDeadLetterQueue`; else nothing more is tried."
    )
