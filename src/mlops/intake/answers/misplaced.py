"""Objects in a place where they are not used: one email each, or one digest when there are many."""

from __future__ import annotations

from dataclasses import replace

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.privacy import shown
from mlops.infrastructure.event_names import UPLOAD_IGNORED
from mlops.infrastructure.metric_names import UPLOADS_IGNORED
from mlops.infrastructure.upload_events import NO_GROUP, Upload
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.outbox import as_notification
from mlops.intake.placement.placement import MISPLACED, SAME_BUT_FOR_CASE, probable_keys, same_group
from mlops.models.intake.uploads import DigestEntry, Notification

MAX_EMAILS_PER_HOUR = 20  # of one group; more become one digest, which the daily sweep sends

_MAX_KEY = 200
_MAX_GROUPS = 10


def why_other_group(upload: Upload, versions: DatasetVersions) -> str | None:
    """Return the reason when there is a group of nearly the same name; else the name becomes that of a group.

    A group that has a contract is used in any case: it was there before names were compared.
    """
    if upload.group is None:
        return None
    group = upload.group
    if versions.is_group(group):
        return None
    if same_group(group, versions.list_groups()) and versions.current_contract(group) is None:
        return SAME_BUT_FOR_CASE
    versions.add_group(group)
    return None


def answer_misplaced(attempt: Attempt, reason: str) -> Decision:
    """Leave the object where it is, and say what was probably meant.

    Emails are counted under the group; those about folders that are not of a group are counted together.
    """
    upload, versions = attempt.upload, attempt.ports.versions
    groups = versions.list_groups()
    versions.add_folder(upload.recorded_group)
    keys = probable_keys(upload, groups)
    ignored = attempt.record.changed(
        state="ignored",
        reason=reason,
        finished_at=attempt.now,
        outbox=(_event(upload, reason, keys), Notification("metric", UPLOADS_IGNORED)),
    )
    counted = str(upload.group) if upload.group in groups else NO_GROUP
    if versions.count_email(counted, attempt.now, MAX_EMAILS_PER_HOUR):
        email = as_notification(compose_misplaced(upload, reason, keys, groups))
        return Decision(replace(ignored, outbox=(email, *ignored.outbox)))
    entry = DigestEntry(counted, _line(upload, reason, keys))
    return Decision(replace(ignored, digest=entry))


def compose_misplaced(
    upload: Upload, reason: str, keys: tuple[str, ...], groups: tuple[str, ...]
) -> tuple[str, str]:
    """Return subject and body of the email about an object in a place where it is not used."""
    lines = [f"{shown(upload.key, _MAX_KEY)} was not used: {MISPLACED[reason]}.", ""]
    match keys:
        case (key,):
            lines += ["Did you mean this? Then drop it again as:", f"  {shown(key, _MAX_KEY)}", ""]
        case (training, inference):
            lines += ["To train a model with it, drop it again as:", f"  {shown(training, _MAX_KEY)}"]
            lines += ["To score it, drop it again as:", f"  {shown(inference, _MAX_KEY)}", ""]
    if any("<group>" in key for key in keys) and groups:
        names = ", ".join(groups[:_MAX_GROUPS])
        more = f" and {len(groups) - _MAX_GROUPS} more" if len(groups) > _MAX_GROUPS else ""
        lines += [f"Groups are: {names}{more}. A new name makes a new group.", ""]
    lines += ["The file is where you put it, and nothing else was done with it.", ""]
    lines += [f"Upload {upload.upload_id}"]
    return f"[{upload.recorded_group}] {shown(upload.filename, 60)} was not used", "\n".join(lines) + "\n"


def _line(upload: Upload, reason: str, keys: tuple[str, ...]) -> str:
    meant = f" Did you mean {shown(keys[0], _MAX_KEY)}?" if len(keys) == 1 else ""
    return f"{shown(upload.key, _MAX_KEY)}: {MISPLACED[reason]}.{meant}"


def _event(upload: Upload, reason: str, keys: tuple[str, ...]) -> Notification:
    detail = {
        "group": upload.group,
        "upload_id": upload.upload_id,
        "key": shown(upload.key, 1024),
        "reason": reason,
        "probable_keys": [shown(key, 1024) for key in keys],
    }
    return Notification("event", UPLOAD_IGNORED, detail=detail)
