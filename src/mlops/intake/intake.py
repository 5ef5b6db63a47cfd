"""Intake: what is done with a file that was dropped into the data bucket.

Events are delivered twice, in parallel, late and out of order, and a run may be killed at any point.
Therefore one run at a time has the claim on an upload (`uploads`); every step can be repeated, because names
are derived from the content or from bucket, key and version id; and a decision is stored together with its
notifications before these are sent (`outbox`). The next attempt completes what is left.
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
    Attempt,
    Decision,
    accept_for_training,
    complete,
    decide_unless_deleted,
    reject,
    result_of,
)
from mlops.intake.folders import closes_folder
from mlops.intake.outbox import acceptance
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.intake.starts import start_scoring
from mlops.intake.uploads import SETTINGS_FILE, record_ignored, take_upload, why_ignored
from mlops.models.dataset import Claim, Contract, Finding, ValidationReport
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings


def receive_upload(
    upload: Upload, *, ports: IntakePorts, limits: Limits, claim: Claim, now: datetime
) -> IntakeResult:
    """Validate an uploaded file and start its training or scoring.

    A training file becomes a dataset version and starts a training, unless the same bytes with the same
    settings were trained on before. A scoring file is scored with the current champion. A file that cannot be
    used is moved to quarantine, and an email says what to do. An object that closes a folder of parts starts
    their validation, which ends in `parts.merging`. Any other object is ignored, and the reason recorded.

    Parameters
    ----------
    claim : Claim
        The id of the run (the same for a retry of the same run), and when it will have ended for certain.

    Raises
    ------
    Exception
        Only what the ports raise; then no upload is lost, and the next attempt of the event completes it.
    """
    reason = why_ignored(upload)
    if reason:
        is_repeated = record_ignored(upload, reason, ports.versions, now)
        return IntakeResult(
            "ignored", reason, upload.group, upload.upload_id, upload.purpose, is_repeated=is_repeated
        )
    record = take_upload(upload, ports.versions, claim, now)
    if record.claim != claim:
        return result_of(record, is_repeated=True)
    attempt = Attempt(upload, record, ports, limits, now)
    if closes_folder(upload):
        return complete(attempt, lambda: _start_validation(attempt))
    return complete(attempt, lambda: decide_unless_deleted(attempt, lambda: _decide(attempt)))


def read_settings(upload: Upload, storage: DatasetStorage) -> GroupSettings:
    """Return the settings in `<group>/model.toml`; the defaults when that file does not exist.

    Raises
    ------
    SettingsError
        If it is not text, not TOML, or has an invalid setting.
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
    """Return the finding about settings of the group that cannot be read."""
    advice = f"Correct {upload.group}/{SETTINGS_FILE} and drop the file again."
    return Finding("settings", "reject", str(error), advice=advice)


def _start_validation(attempt: Attempt) -> Decision:
    """Start the validation of the parts of a folder, once; its last step decides."""
    upload, record = attempt.upload, attempt.record
    document = {"group": record.group, "upload_id": record.upload_id, "upload": upload.to_dict()}
    attempt.ports.executions.start_validation(record.upload_id, document)
    return Decision(record.changed(work_id=record.upload_id))


def _decide(attempt: Attempt) -> Decision:
    upload, ports = attempt.upload, attempt.ports
    try:
        settings = read_settings(upload, ports)
    except SettingsError as error:
        return reject(attempt, _rejection(upload, settings_problem(upload, error)))
    if upload.size_bytes > attempt.limits.max_expanded_bytes:
        size, limit = upload.size_bytes // MIB, attempt.limits.max_expanded_bytes // MIB
        message = f"The file is too large: {size:,} MiB, the limit is {limit:,} MiB."
        finding = Finding("too_large", "reject", message, advice="Split the file.")
        return reject(attempt, _rejection(upload, finding))
    champion = ports.models.champion(str(upload.group)) if upload.purpose == "inference" else None
    if upload.purpose == "inference" and champion is None:
        message = f"The group {upload.group} has no approved model to score with."
        advice = "Approve a version first, then drop the file again."
        return reject(attempt, _rejection(upload, Finding("no_champion", "reject", message, advice=advice)))
    report = _validate(attempt, settings, champion)
    if report.verdict == "reject":
        return reject(attempt, report)
    if champion is not None:
        return _score(attempt, report, champion)
    return accept_for_training(attempt, report, settings)


def _validate(attempt: Attempt, settings: GroupSettings, champion: ModelMetadata | None) -> ValidationReport:
    """Check a training file against the group's contract, a scoring file against that of its model."""
    upload, ports = attempt.upload, attempt.ports
    if champion is None:
        contract = current_contract(str(upload.group), ports)
    else:
        contract = contract_of_version(champion, ports)
        settings = _scoring_settings(champion, contract)
    with TemporaryDirectory() as folder:
        # validation sees only the suffix of a name that a person has chosen
        path = Path(folder) / ("upload.csv.gz" if upload.key.lower().endswith(".gz") else "upload.csv")
        ports.objects.download(upload.ref, path)
        purpose = cast("Any", upload.purpose)
        report = validate(path, settings, contract, purpose=purpose, limits=attempt.limits)
        if champion is None and contract is not None and contract.learned_from == report.sha256:
            # an interrupted attempt has learned the contract from this file: validate as that attempt did
            return validate(path, settings, purpose=purpose, limits=attempt.limits)
        return report


def _scoring_settings(champion: ModelMetadata, contract: Contract | None) -> GroupSettings:
    """Return the champion's settings; columns that it does not use may be absent, or have any content."""
    columns = contract.columns if contract and champion.features else ()
    unused = [c.name for c in columns if c.role == "feature" and c.name not in champion.features]
    settings = champion.settings
    return replace(settings, exclude_columns=(*settings.exclude_columns, *unused))


def _score(attempt: Attempt, report: ValidationReport, champion: ModelMetadata) -> Decision:
    batch_id = start_scoring(attempt.upload, champion, attempt.ports)
    accepted = attempt.record.changed(state="accepted", work_id=batch_id, finished_at=attempt.now)
    return Decision(replace(accepted, outbox=acceptance(accepted, report)), report)


def _rejection(upload: Upload, finding: Finding) -> ValidationReport:
    """Return the report of a file that was not read."""
    return ValidationReport("reject", (finding,), 0, 0, "", upload.size_bytes, str(upload.purpose))
