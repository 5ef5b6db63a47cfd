"""Intake: decides what becomes of a file that somebody dropped into the data bucket.

Deliveries come twice, at once, late and out of order, and a run may be killed anywhere. Therefore one
delivery works at a time (`uploads`); every step can be repeated, because names are derived from the content
or from bucket, key and version id; and the decision is written, with what there is to say about it, before
it is said (`outbox`). A redelivery does what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from mlops.dataset.acceptance import AcceptedFile, accept_dataset, contract_of_version, current_contract
from mlops.dataset.intake_ports import IntakePorts, Received
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.mails import duplicate_mail, rejection_mail
from mlops.dataset.outbox import acceptance, empty_outbox, mail_of, rejection, rule_ids
from mlops.dataset.quarantine import (
    quarantine,
    quarantined_file,
    remove_from_drop_folder,
    report_in_quarantine,
)
from mlops.dataset.starting import start_scoring, start_training, version_trained_on
from mlops.dataset.uploads import SETTINGS_FILE, record_ignored, release_upload, take_upload, why_ignored
from mlops.dataset.validation import validate
from mlops.errors import ObjectNotFoundError, SettingsError
from mlops.infrastructure.events import Upload
from mlops.infrastructure.objects import ObjectRef
from mlops.models.dataset import Claim, Contract, Finding, UploadRecord, ValidationReport
from mlops.models.group_settings import GroupSettings
from mlops.models.registry import ModelMetadata


@dataclass(frozen=True, slots=True)
class Delivery:
    """One run over one upload that this run has claimed."""

    upload: Upload
    record: UploadRecord
    ports: IntakePorts
    limits: Limits
    now: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an upload, and the report that led to it."""

    record: UploadRecord
    report: ValidationReport | None = None


def receive_upload(
    upload: Upload, *, ports: IntakePorts, limits: Limits, claim: Claim, now: datetime
) -> Received:
    """Validate an uploaded file and start what it was dropped for.

    A training file becomes a dataset version and starts a training, unless the same bytes with the same
    settings were trained on before. A scoring file is tied to the champion of this moment and scored. A file
    that cannot be used goes to quarantine, and a mail says what to do. Anything else is ignored for a reason.

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
        return _received(record, None, is_repeated=True)
    try:
        return _work(Delivery(upload, record, ports, limits, now))
    except Exception:
        release_upload(record, ports.versions)
        raise


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


def _work(delivery: Delivery) -> Received:
    """Do what is left: decide and write it down, then say it."""
    record, report, ports = delivery.record, None, delivery.ports
    if record.state == "received":
        decision = _decide(delivery)
        report, done = decision.report, decision.record
        record = ports.versions.save_upload(done if done.outbox else replace(done, claim=None))
        if record.claim != delivery.record.claim:
            return _received(record, report)  # nothing to say, or the claim has ended and was taken over
    return _received(empty_outbox(record, ports.versions, ports.announcer), report)


def _decide(delivery: Delivery) -> Decision:
    try:
        return _judge(delivery)
    except ObjectNotFoundError:
        if delivery.ports.objects.exists(delivery.upload.ref):
            raise
        return _gone(delivery)


def _judge(delivery: Delivery) -> Decision:
    upload, ports = delivery.upload, delivery.ports
    try:
        settings = read_settings(upload, ports)
    except SettingsError as error:
        advice = f"Correct {upload.group}/{SETTINGS_FILE} and drop the file again."
        return _reject(delivery, _refusal(upload, "settings", str(error), advice))
    if upload.size_bytes > delivery.limits.max_expanded_bytes:
        size, limit = upload.size_bytes // MIB, delivery.limits.max_expanded_bytes // MIB
        message = f"The file is too large: {size:,} MiB, the limit is {limit:,} MiB."
        return _reject(delivery, _refusal(upload, "too_large", message, "Split the file."))
    champion = ports.models.champion(str(upload.group)) if upload.purpose == "inference" else None
    if upload.purpose == "inference" and champion is None:
        message = f"The group {upload.group} has no approved model to score with."
        advice = "Approve a version first, then drop the file again."
        return _reject(delivery, _refusal(upload, "no_champion", message, advice))
    report = _validate(delivery, settings, champion)
    if report.verdict == "reject":
        return _reject(delivery, report)
    return _score(delivery, report, champion) if champion else _train(delivery, report, settings)


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


def _train(delivery: Delivery, report: ValidationReport, settings: GroupSettings) -> Decision:
    upload, record, ports = delivery.upload, delivery.record, delivery.ports
    dataset = accept_dataset(AcceptedFile(upload, record.group, report, settings), ports, delivery.now)
    training = start_training(dataset, upload, report, settings, ports, now=delivery.now)
    done = record.changed(
        state="accepted",
        dataset_id=dataset.dataset_id,
        work_id=training.training_id,
        finished_at=delivery.now,
    )
    outbox = acceptance(done, report)
    if training.upload_id != upload.upload_id:
        became = version_trained_on(training, ports.models.list_models(record.group))
        mail = mail_of(duplicate_mail(upload, training, became))
        return Decision(replace(done, reason="same_content", outbox=(mail, *outbox)), report)
    return Decision(replace(done, outbox=outbox), report)


def _score(delivery: Delivery, report: ValidationReport, champion: ModelMetadata) -> Decision:
    batch_id = start_scoring(delivery.upload, champion, delivery.ports)
    done = delivery.record.changed(state="accepted", work_id=batch_id, finished_at=delivery.now)
    return Decision(replace(done, outbox=acceptance(done, report)), report)


def _reject(delivery: Delivery, report: ValidationReport) -> Decision:
    """Move the dropped version to quarantine."""
    quarantine(delivery.upload, report, delivery.ports)
    remove_from_drop_folder(delivery.upload, delivery.ports)
    return _rejected(delivery, report)


def _rejected(delivery: Delivery, report: ValidationReport) -> Decision:
    rules, place = rule_ids(report), quarantined_file(delivery.upload, delivery.ports)
    done = delivery.record.changed(state="rejected", reason=rules[0], finished_at=delivery.now)
    mail = rejection_mail(delivery.upload, report, place)
    return Decision(replace(done, outbox=rejection(done, report, mail, place)), report)


def _gone(delivery: Delivery) -> Decision:
    """Decide about a file that is not there: rejected by a run cut short, or deleted by somebody."""
    report = report_in_quarantine(delivery.upload, delivery.ports)
    if report is not None:
        return _rejected(delivery, report)
    return Decision(delivery.record.changed(state="ignored", reason="deleted", finished_at=delivery.now))


def _received(
    record: UploadRecord, report: ValidationReport | None, *, is_repeated: bool = False
) -> Received:
    return Received(
        outcome="in_progress" if record.state == "received" else record.state,
        reason=record.reason,
        group=record.group,
        upload_id=record.upload_id,
        purpose=record.purpose,
        dataset_id=record.dataset_id,
        work_id=record.work_id,
        n_rows=report.n_rows if report else None,
        rule_ids=rule_ids(report) if report else (),
        is_repeated=is_repeated,
    )


def _refusal(upload: Upload, rule_id: str, message: str, advice: str) -> ValidationReport:
    """Return the report of a file that was not even read."""
    finding = Finding(rule_id, "reject", message, advice=advice)
    return ValidationReport("reject", (finding,), 0, 0, "", upload.size_bytes, str(upload.purpose))
