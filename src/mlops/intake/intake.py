"""Intake: decides what becomes of a file that somebody dropped into the data bucket.

Deliveries come twice, at once, late and out of order, and a run may be killed anywhere. Therefore one
delivery works at a time (`uploads`); every step can be repeated, because names are derived from the content
or from bucket, key and version id; and the decision is written, with what there is to say about it, before
it is said (`outbox`). A redelivery does what is left.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from mlops.dataset.catalog.acceptance import DatasetStorage, contract_of_version, current_contract
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.validation.validate import validate
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import (
    Decision,
    Delivery,
    accept_for_training,
    carry_out,
    received_of,
    refuse,
    unless_gone,
)
from mlops.intake.folders import closes_folder
from mlops.intake.outbox import acceptance
from mlops.intake.ports import IntakePorts, Received
from mlops.intake.training_start import start_scoring
from mlops.intake.uploads import SETTINGS_FILE, record_ignored, take_upload, why_ignored
from mlops.models.dataset import Claim, Contract, Finding, ValidationReport
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings


def receive_upload(
    upload: Upload, *, ports: IntakePorts, limits: Limits, claim: Claim, now: datetime
) -> Received:
    """Validate an uploaded file and start what it was dropped for.

    A training file becomes a dataset version and starts a training, unless the same bytes with the same
    settings were trained on before. A scoring file is tied to the champion of this moment and scored. A file
    that cannot be used goes to quarantine, and a mail says what to do. What closes a folder of parts starts
    their validation, which ends in `parts.deciding`. Anything else is ignored for a reason.

    Parameters
    ----------
    claim : Claim
        Who runs this (the same for a retry of the same run) and when the run will have ended for certain.

    Raises
    ------
    Exception
        Only what the ports raise; then nothing is lost, and delivering the event again does the rest.
    """
    reason = why_ignored(upload)
    if reason:
        is_known = record_ignored(upload, reason, ports.versions, now)
        return Received(
            "ignored", reason, upload.group, upload.upload_id, upload.purpose, is_repeated=is_known
        )
    record = take_upload(upload, ports.versions, claim, now)
    if record.claim != claim:
        return received_of(record, is_repeated=True)
    delivery = Delivery(upload, record, ports, limits, now)
    if closes_folder(upload):
        return carry_out(delivery, lambda: _start_validation(delivery))
    return carry_out(delivery, lambda: unless_gone(delivery, lambda: _judge(delivery)))


def read_settings(upload: Upload, storage: DatasetStorage) -> GroupSettings:
    """Read `<group>/model.toml` beside the data; the defaults when there is none.

    Raises
    ------
    SettingsError
        If it is not text, not TOML, or says something impossible.
    """
    try:
        content = storage.objects.read(ObjectRef(upload.bucket, f"{upload.group}/{SETTINGS_FILE}"))
    except ObjectNotFoundError:
        return GroupSettings()
    try:
        return GroupSettings.from_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError("model.toml is not UTF-8 text.") from error


def settings_problem(upload: Upload, error: SettingsError) -> Finding:
    """Return what is said when the settings of the group cannot be read."""
    advice = f"Correct {upload.group}/{SETTINGS_FILE} and drop the file again."
    return Finding("settings", "reject", str(error), advice=advice)


def _start_validation(delivery: Delivery) -> Decision:
    """Start the validation of a folder's parts, once however often this is repeated; it decides later."""
    upload, record = delivery.upload, delivery.record
    document = {"group": record.group, "upload_id": record.upload_id, "upload": upload.to_dict()}
    delivery.ports.executions.start_validation(record.upload_id, document)
    return Decision(record.changed(work_id=record.upload_id))


def _judge(delivery: Delivery) -> Decision:
    upload, ports = delivery.upload, delivery.ports
    try:
        settings = read_settings(upload, ports)
    except SettingsError as error:
        return refuse(delivery, _refusal(upload, settings_problem(upload, error)))
    if upload.size_bytes > delivery.limits.max_expanded_bytes:
        size, limit = upload.size_bytes // MIB, delivery.limits.max_expanded_bytes // MIB
        message = f"The file is too large: {size:,} MiB, the limit is {limit:,} MiB."
        finding = Finding("too_large", "reject", message, advice="Split the file.")
        return refuse(delivery, _refusal(upload, finding))
    champion = ports.models.champion(str(upload.group)) if upload.purpose == "inference" else None
    if upload.purpose == "inference" and champion is None:
        message = f"The group {upload.group} has no approved model to score with."
        advice = "Approve a version first, then drop the file again."
        return refuse(delivery, _refusal(upload, Finding("no_champion", "reject", message, advice=advice)))
    report = _validate(delivery, settings, champion)
    if report.verdict == "reject":
        return refuse(delivery, report)
    if champion is not None:
        return _score(delivery, report, champion)
    return accept_for_training(delivery, report, settings)


def _validate(
    delivery: Delivery, settings: GroupSettings, champion: ModelMetadata | None
) -> ValidationReport:
    """Hold a training file against the group's contract, a scoring file against that of its model."""
    upload, ports = delivery.upload, delivery.ports
    if champion is None:
        contract = current_contract(str(upload.group), ports)
    else:
        contract = contract_of_version(champion, ports)
        settings = _scoring_settings(champion, contract)
    with TemporaryDirectory() as folder:
        # the suffix is all that validation may see of a name that somebody else chose
        path = Path(folder) / ("upload.csv.gz" if upload.key.lower().endswith(".gz") else "upload.csv")
        ports.objects.download(upload.ref, path)
        purpose = cast("Any", upload.purpose)
        report = validate(path, settings, contract, purpose=purpose, limits=delivery.limits)
        if champion is None and contract is not None and contract.learned_from == report.sha256:
            # a run that died after it had learned the contract from this very file: judge it as that run did
            return validate(path, settings, purpose=purpose, limits=delivery.limits)
        return report


def _scoring_settings(champion: ModelMetadata, contract: Contract | None) -> GroupSettings:
    """Return the champion's settings; a column that it does not look at may be absent, or hold anything."""
    columns = contract.columns if contract and champion.features else ()
    unused = [c.name for c in columns if c.role == "feature" and c.name not in champion.features]
    stated = champion.settings
    return replace(stated, exclude_columns=(*stated.exclude_columns, *unused))


def _score(delivery: Delivery, report: ValidationReport, champion: ModelMetadata) -> Decision:
    batch_id = start_scoring(delivery.upload, champion, delivery.ports)
    done = delivery.record.changed(state="accepted", work_id=batch_id, finished_at=delivery.now)
    return Decision(replace(done, outbox=acceptance(done, report)), report)


def _refusal(upload: Upload, finding: Finding) -> ValidationReport:
    """Return the report of a file that was not even read."""
    return ValidationReport("reject", (finding,), 0, 0, "", upload.size_bytes, str(upload.purpose))
