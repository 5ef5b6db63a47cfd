"""The settings of a group: read for a training file, and checked when they are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlops.algorithms.selection import check_settings
from mlops.dataset.catalog.acceptance import DatasetStorage, current_contract
from mlops.dataset.features.directions import derived_numbers
from mlops.dataset.privacy import shown
from mlops.infrastructure.event_names import SETTINGS_REJECTED
from mlops.infrastructure.metric_names import SETTINGS_FILES_REJECTED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import Attempt, Decision
from mlops.intake.outbox import as_notification
from mlops.intake.placement.placement import SETTINGS_FILE
from mlops.models.dataset import Contract, Finding
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.intake.uploads import Notification
from mlops.models.objects import ObjectRef
from mlops.models.settings.columns import EVERY_DATE
from mlops.models.settings.document import MAX_CHARACTERS
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.hyperparameter import settings_hyperparameters
from mlops.models.settings.nearest import nearest

_MAX_BYTES = 4 * MAX_CHARACTERS  # of UTF-8
_MAX_SHOWN = 10


def read_settings(upload: Upload, storage: DatasetStorage) -> GroupSettings:
    """Return the settings of the group of an upload, as `read_group_settings` does."""
    return read_group_settings(upload.bucket, str(upload.group), storage)


def read_group_settings(data_bucket: str, group: str, storage: DatasetStorage) -> GroupSettings:
    """Return the settings in `<group>/model.toml` as they are now; the defaults without that file.

    Raises
    ------
    SettingsError
        If it is not text, not TOML, or has an invalid setting.
    """
    try:
        return _read(ObjectRef(data_bucket, f"{group}/{SETTINGS_FILE}"), storage)
    except ObjectNotFoundError:
        return GroupSettings()


def settings_problem(upload: Upload, error: SettingsError) -> Finding:
    """Return the finding about settings of the group that cannot be read."""
    advice = f"Correct {upload.group}/{SETTINGS_FILE} and drop the file again."
    return Finding("settings", "reject", str(error), advice=advice)


def check_settings_file(attempt: Attempt) -> Decision:
    """Check settings that were dropped; the file stays, and is read with the next training file.

    An email says what is wrong with them, or which of the columns in them the group's files do not have.
    """
    upload, ports = attempt.upload, attempt.ports
    try:
        settings = _read(upload.ref, ports)
        check_settings(settings)
        settings_hyperparameters(settings)
    except SettingsError as error:
        rejected = attempt.record.changed(state="rejected", reason="settings", finished_at=attempt.now)
        return Decision(replace(rejected, outbox=_rejection(upload, error)))
    accepted = attempt.record.changed(state="accepted", reason="settings", finished_at=attempt.now)
    contract = current_contract(str(upload.group), ports)
    absent = [] if contract is None else list(_absent_columns(settings, contract))
    if not absent:
        return Decision(accepted)
    email = as_notification(compose_absent_columns(upload, absent))
    return Decision(replace(accepted, outbox=(email,)))


def compose_rejected_settings(upload: Upload, error: SettingsError) -> tuple[str, str]:
    """Return subject and body of the email about settings that cannot be read."""
    body = (
        f"The settings in {shown(upload.key, 200)} cannot be used:\n\n- {error}\n\n"
        "Correct the file and drop it again. Until then training files of the group are refused; files to\n"
        "score are scored as before, by the model in service.\n\n"
        f"Upload {upload.upload_id}\n"
    )
    return f"[{upload.group}] {SETTINGS_FILE} cannot be used", body


def compose_absent_columns(upload: Upload, absent: list[str]) -> tuple[str, str]:
    """Return subject and body of the email about columns that the group's files did not have so far."""
    more = [f"- and {len(absent) - _MAX_SHOWN} more"] if len(absent) > _MAX_SHOWN else []
    lines = [
        f"The settings in {shown(upload.key, 200)} can be used. They name columns that the accepted files",
        "of the group do not have:",
        "",
        *(f"- {line}" for line in absent[:_MAX_SHOWN]),
        *more,
        "",
        "If the next training file has them, there is nothing to do.",
    ]
    return f"[{upload.group}] {SETTINGS_FILE} names unknown columns", "\n".join(lines) + "\n"


def _read(ref: ObjectRef, storage: DatasetStorage) -> GroupSettings:
    size_bytes = storage.objects.head(ref).size_bytes
    if size_bytes > _MAX_BYTES:
        raise SettingsError(f"{SETTINGS_FILE} has {size_bytes:,} bytes; the limit is {_MAX_BYTES:,}.")
    try:
        return GroupSettings.from_toml(storage.objects.read(ref).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{SETTINGS_FILE} is not UTF-8 text.") from error


def _rejection(upload: Upload, error: SettingsError) -> tuple[Notification, ...]:
    detail = {"group": upload.group, "upload_id": upload.upload_id, "key": shown(upload.key, 1024)}
    return (
        as_notification(compose_rejected_settings(upload, error)),
        Notification("event", SETTINGS_REJECTED, detail=detail),
        Notification("metric", SETTINGS_FILES_REJECTED),
    )


def _absent_columns(settings: GroupSettings, contract: Contract) -> Iterator[str]:
    """Yield a sentence for each column in the settings that the contract does not know."""
    dates = [column.name for column in contract.columns if (column.kind, column.role) == ("date", "feature")]
    made = derived_numbers(settings, dates)
    for setting, column in _named_columns(settings):
        if contract.column(column) is None and not (setting == "monotonic" and column in made):
            yield f"{setting}: {shown(column, 60)}. {nearest(column, contract.names)}"


def _named_columns(settings: GroupSettings) -> Iterator[tuple[str, str]]:
    """Yield each column that the settings name, after the setting that names it."""
    for setting in ("target", "time_column"):
        if column := getattr(settings, setting):
            yield setting, column
    for setting in ("id_columns", "group_columns", "exclude_columns", "text_columns"):
        yield from ((setting, column) for column in getattr(settings, setting))
    yield from (("drift.exclude_columns", column) for column in settings.drift.exclude_columns)
    yield from (("slices.columns", column) for column in settings.slices.columns)
    yield from (("date_parts", column) for column in settings.date_parts if column != EVERY_DATE)
    yield from (("monotonic", column) for column in settings.monotonic)
    yield from (("columns", column) for column in settings.columns)
