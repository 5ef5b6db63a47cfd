"""Uploads that no run could process: after several attempts they are given up, once and with a reason."""

from __future__ import annotations

from mlops.dataset.privacy import shown
from mlops.infrastructure.event_names import UPLOAD_FAILED
from mlops.infrastructure.metric_names import UPLOADS_FAILED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.outbox import as_notification
from mlops.models.intake import Notification

MAX_ATTEMPTS = 9  # an event and two daily sweeps, each with two repetitions

_CUT_SHORT = "CutShort"


def give_up(attempt: Attempt) -> Decision:
    """Record that the upload cannot be processed, so that the sweep does not start it again."""
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
    cause = (
        "each run was cut short, by its time limit or for lack of memory"
        if reason == _CUT_SHORT
        else f"the last error was {reason}"
    )
    body = (
        f"{shown(upload.key, 200)} could not be processed in {MAX_ATTEMPTS} attempts: {cause}.\n\n"
        "What to do: read the log of ReceiveUploadFunction and correct the cause. Then drop the file again,\n"
        "or send its event again with `mlops replay UploadDeadLetterQueue`; else nothing more is tried.\n\n"
        f"The file is where you put it.\n\nUpload {upload.upload_id}\n"
    )
    return f"[{upload.recorded_group}] {shown(upload.filename, 60)} could not be processed", body
