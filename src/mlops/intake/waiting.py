"""Files to score, and labels, that wait for the first champion of their group.

A file that waits stays where it was put. Its upload is undecided, so the daily sweep hands it to intake again
as it does any other one; a new champion does so at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.privacy import shown
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.answers.settings_file import read_settings
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.outbox import as_notification
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.objects import ObjectRef

_REASON = "no_champion"


def may_wait(attempt: Attempt) -> bool:
    """Whether files of the group wait for a champion; a mistake in `model.toml` refuses none of them."""
    try:
        return read_settings(attempt.upload, attempt.ports).scoring.wait_for_champion
    except SettingsError:
        return True


def wait_for_champion(attempt: Attempt) -> Decision:
    """Let a file wait, and say so by email the first time."""
    record = attempt.record
    if record.state == "waiting":
        return Decision(record.changed())
    waiting = record.changed(state="waiting", reason=_REASON)
    return Decision(replace(waiting, outbox=(as_notification(compose_waiting(attempt.upload)),)))


def compose_waiting(upload: Upload) -> tuple[str, str]:
    """Return subject and body of the email about a file that waits."""
    if upload.purpose == "labels":
        return _labels_waiting(upload)
    body = (
        f"The file {shown(upload.key, 200)} waits: the group {upload.group} has no approved model yet.\n"
        "It is scored as soon as a version is approved. Nothing needs to be dropped again.\n\n"
        "To have such files refused instead, put these lines into model.toml:\n"
        "    [scoring]\n    wait_for_champion = false\n"
    )
    return f"[{upload.group}] {shown(upload.filename, 80)} waits for a model", body


def _labels_waiting(upload: Upload) -> tuple[str, str]:
    body = (
        f"The labels in {shown(upload.key, 200)} wait: the group {upload.group} has no approved model yet.\n"
        "They are read as soon as a version is approved. Nothing needs to be dropped again.\n"
    )
    return f"[{upload.group}] {shown(upload.filename, 80)} waits for a model", body


def start_waiting(
    group: str,
    versions: DatasetVersions,
    objects: ObjectStore,
    start_intake: Callable[[Upload], None],
    *,
    bucket: str,
) -> int:
    """Start intake for each file of the group that waits; return how many there were.

    Intake scores an upload once however often it is started, so this may be repeated.

    Parameters
    ----------
    start_intake
        Starts intake for an upload, without waiting for its end.
    bucket
        The bucket that people write to.
    """
    n_started = 0
    for record in versions.list_uploads(group):
        if record.state != "waiting":
            continue
        try:
            facts = objects.head(ObjectRef(bucket, record.key, record.version_id))
        except ObjectNotFoundError:  # deleted while it waited
            continue
        start_intake(Upload(bucket, record.key, record.version_id, facts.size_bytes))
        n_started += 1
    return n_started
