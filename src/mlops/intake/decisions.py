"""What is done with an upload once it was judged: written down, carried out, said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from mlops.dataset.catalog.acceptance import AcceptedFile, accept_dataset
from mlops.dataset.limits import Limits
from mlops.infrastructure.upload_events import Upload
from mlops.intake.emails import duplicate_mail, rejection_mail
from mlops.intake.outbox import acceptance, empty_outbox, mail_of, rejection, rule_ids
from mlops.intake.ports import IntakePorts, Received
from mlops.intake.quarantine import (
    quarantine,
    quarantined_file,
    remove_from_drop_folder,
    report_in_quarantine,
)
from mlops.intake.training_start import start_training, version_trained_on
from mlops.intake.uploads import release_upload
from mlops.models.dataset import UploadRecord, ValidationReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings


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


def carry_out(delivery: Delivery, decide: Callable[[], Decision]) -> Received:
    """Decide unless that was done before, write it down, then say it.

    Raises
    ------
    Exception
        Only what the ports raise; then the upload is left to the next delivery, which does the rest.
    """
    try:
        return _decided(delivery, decide)
    except Exception:
        release_upload(delivery.record, delivery.ports.versions)
        raise


def unless_gone(delivery: Delivery, decide: Callable[[], Decision]) -> Decision:
    """Decide; an upload that is not there was rejected by a run cut short, or deleted by somebody."""
    try:
        return decide()
    except ObjectNotFoundError:
        if delivery.ports.objects.exists(delivery.upload.ref):
            raise
    report = report_in_quarantine(delivery.upload, delivery.ports)
    if report is not None:
        return _rejected(delivery, report)
    return Decision(delivery.record.changed(state="ignored", reason="deleted", finished_at=delivery.now))


def accept_for_training(
    delivery: Delivery,
    report: ValidationReport,
    settings: GroupSettings,
    content: ObjectRef | None = None,
) -> Decision:
    """Keep the data as a dataset version and start a training, unless they were trained on before.

    `content` is where the bytes lie when they are not those of the upload itself.
    """
    upload, record, ports = delivery.upload, delivery.record, delivery.ports
    dataset = accept_dataset(
        AcceptedFile(upload, record.group, report, settings, content), ports, delivery.now
    )
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


def refuse(delivery: Delivery, report: ValidationReport) -> Decision:
    """Move the dropped version to quarantine."""
    quarantine(delivery.upload, report, delivery.ports)
    remove_from_drop_folder(delivery.upload, delivery.ports)
    return _rejected(delivery, report)


def received_of(
    record: UploadRecord, report: ValidationReport | None = None, *, is_repeated: bool = False
) -> Received:
    """Return what became of an upload, as it may be logged."""
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


def _decided(delivery: Delivery, decide: Callable[[], Decision]) -> Received:
    record, report, ports = delivery.record, None, delivery.ports
    if record.state == "received":
        decision = decide()
        report, done = decision.report, decision.record
        record = ports.versions.save_upload(done if done.outbox else replace(done, claim=None))
        if record.claim != delivery.record.claim:
            return received_of(record, report)  # nothing to say, or the claim has ended and was taken over
    return received_of(empty_outbox(record, ports.versions, ports.notifier), report)


def _rejected(delivery: Delivery, report: ValidationReport) -> Decision:
    rules, place = rule_ids(report), quarantined_file(delivery.upload, delivery.ports)
    done = delivery.record.changed(state="rejected", reason=rules[0], finished_at=delivery.now)
    mail = rejection_mail(delivery.upload, report, place)
    return Decision(replace(done, outbox=rejection(done, report, mail, place)), report)
