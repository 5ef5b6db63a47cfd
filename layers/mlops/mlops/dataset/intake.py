"""Intake: decides what becomes of a file that somebody dropped into the data bucket.

Deliveries come twice, late and out of order, and a run may be killed anywhere. Therefore every step can be
repeated: names are derived from the content or from bucket, key and version id; records are written once; and
the upload gets its final state last, so that a redelivery before that point does the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from mlops.dataset.acceptance import AcceptedFile, accept_dataset, current_contract
from mlops.dataset.intake_ports import IntakePorts, Received
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.mails import duplicate_mail, rejection_mail
from mlops.dataset.privacy import shown
from mlops.dataset.quarantine import quarantine, remove_from_drop_folder, report_in_quarantine
from mlops.dataset.validation import validate
from mlops.errors import ObjectNotFoundError, SettingsError
from mlops.infrastructure.cloudwatch import Metric
from mlops.infrastructure.events import Upload
from mlops.infrastructure.metric_names import UPLOADS_ACCEPTED, UPLOADS_REJECTED
from mlops.infrastructure.objects import ObjectRef
from mlops.models.dataset import Finding, TrainingRecord, UploadRecord, ValidationReport
from mlops.models.group_settings import GroupSettings
from mlops.models.registry import ModelMetadata

SETTINGS_FILE = "model.toml"
_SHOWN_FINDINGS = 20


def receive_upload(upload: Upload, *, ports: IntakePorts, limits: Limits, now: datetime) -> Received:
    """Validate an uploaded file and start what it was dropped for.

    A training file becomes a dataset version and starts a training, unless the same bytes with the same
    settings were trained on before. A scoring file is tied to the champion of this moment and scored. A file
    that cannot be used goes to quarantine, and a mail says what to do. Anything else is ignored for a reason.

    Raises
    ------
    Exception
        Only what the ports raise; then nothing is lost, and delivering the event again does the rest.
    """
    reason = why_ignored(upload)
    if reason:
        return Received("ignored", reason, upload.group, upload.upload_id, upload.purpose)
    record = ports.versions.claim_upload(_new_record(upload, now))
    if record.state != "received":
        return _repeated(record)
    try:
        return _handle(upload, record, ports, limits, now)
    except ObjectNotFoundError:
        if ports.objects.exists(upload.ref):
            raise
        return _gone(upload, record, ports, now)


def why_ignored(upload: Upload) -> str | None:
    """Return why an object starts nothing, or None when it is a file to work on."""
    if upload.key.endswith("/"):
        return "folder"
    if upload.group is None:
        return "outside_a_group"
    if upload.filename == SETTINGS_FILE and upload.key.count("/") == 1:
        return "settings"
    if upload.purpose is None:
        return "outside_training_and_inference"
    if upload.purpose == "labels":
        return "labels_are_not_evaluated"
    return "hidden_file" if upload.filename.startswith(".") else None


def read_settings(upload: Upload, ports: IntakePorts) -> GroupSettings:
    """Read `<group>/model.toml` beside the data; the defaults when there is none.

    Raises
    ------
    SettingsError
        If it is not text, not TOML, or says something impossible.
    """
    try:
        content = ports.objects.read(ObjectRef(upload.bucket, f"{upload.group}/{SETTINGS_FILE}"))
    except ObjectNotFoundError:
        return GroupSettings()
    try:
        return GroupSettings.from_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError("model.toml is not UTF-8 text.") from error


def training_id_of(group: str, dataset_id: str, settings: GroupSettings) -> str:
    """Return the identity of a training: 32 hex digits over group, bytes and settings."""
    canonical = json.dumps(settings.to_dict(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256("\n".join((group, dataset_id, canonical)).encode()).hexdigest()[:32]


def _handle(
    upload: Upload, record: UploadRecord, ports: IntakePorts, limits: Limits, now: datetime
) -> Received:
    try:
        settings = read_settings(upload, ports)
    except SettingsError as error:
        advice = f"Correct {upload.group}/{SETTINGS_FILE} and drop the file again."
        return _reject(upload, record, _refusal(upload, "settings", str(error), advice), ports, now)
    if upload.size_bytes > limits.max_expanded_bytes:
        size, limit = upload.size_bytes // MIB, limits.max_expanded_bytes // MIB
        message = f"The file is too large: {size:,} MiB, the limit is {limit:,} MiB."
        return _reject(upload, record, _refusal(upload, "too_large", message, "Split the file."), ports, now)
    champion = ports.models.champion(record.group) if upload.purpose == "inference" else None
    if upload.purpose == "inference" and champion is None:
        message = f"The group {record.group} has no approved model to score with."
        advice = "Approve a version first, then drop the file again."
        return _reject(upload, record, _refusal(upload, "no_champion", message, advice), ports, now)
    report = _validate(upload, champion.settings if champion else settings, ports, limits)
    if report.verdict == "reject":
        return _reject(upload, record, report, ports, now)
    if champion is not None:
        return _score(upload, record, report, champion, ports, now)
    return _train(upload, record, report, settings, ports, now)


def _validate(
    upload: Upload, settings: GroupSettings, ports: IntakePorts, limits: Limits
) -> ValidationReport:
    contract = current_contract(str(upload.group), ports)
    with TemporaryDirectory() as folder:
        # the suffix is all that validation may see of a name that somebody else chose
        path = Path(folder) / ("upload.csv.gz" if upload.key.lower().endswith(".gz") else "upload.csv")
        ports.objects.download(upload.ref, path)
        purpose = cast("Any", upload.purpose)
        return validate(path, settings, contract, purpose=purpose, limits=limits)


def _train(
    upload: Upload,
    record: UploadRecord,
    report: ValidationReport,
    settings: GroupSettings,
    ports: IntakePorts,
    now: datetime,
) -> Received:
    dataset = accept_dataset(AcceptedFile(upload, record.group, report), ports, now)
    training_id = training_id_of(record.group, dataset.dataset_id, settings)
    training = ports.versions.record_training(
        TrainingRecord(
            record.group, training_id, dataset.dataset_id, upload.upload_id, settings.to_dict(), now
        )
    )
    if training.upload_id == upload.upload_id:
        document = {
            "group": record.group,
            "training_id": training_id,
            "dataset_id": dataset.dataset_id,
            "dataset": dataset.ref.to_dict(),
            "upload": upload.to_dict(),
            "upload_id": upload.upload_id,
            "settings": settings.to_dict(),
            "validation": _evidence(report),
        }
        ports.executions.start_training(training_id, document)
    else:
        known = _version_trained_on(
            record.group, dataset.dataset_id, settings, ports.models.list_models(record.group)
        )
        ports.announcer.mail(*duplicate_mail(upload, training, known))
    done = replace(
        record, state="accepted", dataset_id=dataset.dataset_id, work_id=training_id, finished_at=now
    )
    if training.upload_id != upload.upload_id:
        done = replace(done, reason="same_content")
    return _accept(done, report, ports)


def _score(
    upload: Upload,
    record: UploadRecord,
    report: ValidationReport,
    champion: ModelMetadata,
    ports: IntakePorts,
    now: datetime,
) -> Received:
    document = {
        "group": record.group,
        "batch_id": upload.upload_id,
        "upload": upload.to_dict(),
        "model": {
            "version": champion.version,
            "artifact": champion.artifact.to_dict(),
            "source_uri": champion.source.uri,
        },
        "settings": champion.settings.to_dict(),
    }
    # a scoring job reads its request from here: SageMaker takes no value longer than 256 characters
    key = f"predictions/{record.group}/{upload.upload_id}/request.json"
    request = json.dumps(document, indent=2).encode()
    ports.objects.write(ObjectRef(ports.artifact_bucket, key), request, "application/json")
    ports.executions.start_inference(upload.upload_id, document)
    done = replace(record, state="accepted", work_id=upload.upload_id, finished_at=now)
    return _accept(done, report, ports)


def _accept(done: UploadRecord, report: ValidationReport, ports: IntakePorts) -> Received:
    detail = {"group": done.group, "uploadId": done.upload_id, "purpose": done.purpose,
              "datasetId": done.dataset_id, "verdict": report.verdict, "rows": report.n_rows}  # fmt: skip
    ports.announcer.publish_event("DatasetAccepted", detail)
    ports.announcer.publish_metrics(done.group, [Metric(UPLOADS_ACCEPTED, 1)])
    return _finish(done, report, ports)


def _reject(
    upload: Upload, record: UploadRecord, report: ValidationReport, ports: IntakePorts, now: datetime
) -> Received:
    """Quarantine, tell everybody, delete the dropped version, and only then close the upload."""
    place = quarantine(upload, report, ports)
    rule_ids = _rule_ids(report)
    ports.announcer.mail(*rejection_mail(upload, report, place))
    detail = {"group": record.group, "uploadId": upload.upload_id, "purpose": upload.purpose,
              "key": shown(upload.key, 1024), "rules": rule_ids, "quarantine": place.uri}  # fmt: skip
    ports.announcer.publish_event("DatasetRejected", detail)
    ports.announcer.publish_metrics(record.group, [Metric(UPLOADS_REJECTED, 1)])
    remove_from_drop_folder(upload, ports)
    done = replace(record, state="rejected", reason=rule_ids[0] if rule_ids else None, finished_at=now)
    return _finish(done, report, ports)


def _gone(upload: Upload, record: UploadRecord, ports: IntakePorts, now: datetime) -> Received:
    """Close an upload whose file is not there: rejected by a run cut short, or deleted by somebody."""
    report = report_in_quarantine(upload, ports)
    if report is None:
        return _finish(replace(record, state="ignored", reason="deleted", finished_at=now), None, ports)
    rule_ids = _rule_ids(report)
    done = replace(record, state="rejected", reason=rule_ids[0] if rule_ids else None, finished_at=now)
    return _finish(done, report, ports)


def _finish(done: UploadRecord, report: ValidationReport | None, ports: IntakePorts) -> Received:
    stored = ports.versions.finish_upload(done)
    return Received(
        outcome=cast("Any", stored.state),
        reason=stored.reason,
        group=stored.group,
        upload_id=stored.upload_id,
        purpose=stored.purpose,
        dataset_id=stored.dataset_id,
        work_id=stored.work_id,
        n_rows=report.n_rows if report else None,
        rule_ids=_rule_ids(report) if report else (),
    )


def _repeated(record: UploadRecord) -> Received:
    return Received(
        outcome=cast("Any", record.state),
        reason=record.reason,
        group=record.group,
        upload_id=record.upload_id,
        purpose=record.purpose,
        dataset_id=record.dataset_id,
        work_id=record.work_id,
        is_repeated=True,
    )


def _new_record(upload: Upload, now: datetime) -> UploadRecord:
    return UploadRecord(
        group=str(upload.group),
        upload_id=upload.upload_id,
        key=upload.key,
        version_id=upload.version_id,
        state="received",
        received_at=now,
        purpose=upload.purpose,
    )


def _refusal(upload: Upload, rule_id: str, message: str, advice: str) -> ValidationReport:
    """Return the report of a file that was not even read."""
    finding = Finding(rule_id, "reject", message, advice=advice)
    return ValidationReport("reject", (finding,), 0, 0, "", upload.size_bytes, str(upload.purpose))


def _rule_ids(report: ValidationReport) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.rule_id for finding in report.findings if finding.severity != "info"))


def _evidence(report: ValidationReport) -> dict[str, Any]:
    """Return what travels with the execution: short, and free of cell values."""
    findings = [
        {
            "rule_id": f.rule_id,
            "severity": f.severity,
            "message": f.message[:300],
            "column": f.column and f.column[:100],
        }
        for f in report.findings[:_SHOWN_FINDINGS]
    ]
    return {"verdict": report.verdict, "n_rows": report.n_rows, "findings": findings}


def _version_trained_on(
    group: str, dataset_id: str, settings: GroupSettings, models: Sequence[ModelMetadata]
) -> str | None:
    """Return the version that came of these bytes and settings, None while it is in training."""
    found = [
        model.version
        for model in models
        if model.dataset_version == dataset_id
        and training_id_of(group, dataset_id, model.settings) == training_id_of(group, dataset_id, settings)
    ]
    return found[-1] if found else None
