"""Dropped files of labels: checked by the champion of the group, and recorded beside the ledger."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from mlops.dataset.catalog.acceptance import contract_of_version
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.privacy import shown
from mlops.infrastructure.upload_events import Upload
from mlops.intake.answers.settings_file import read_settings
from mlops.intake.decisions import Attempt, Decision, reject
from mlops.intake.emails import bullets
from mlops.intake.outbox import acceptance, as_notification
from mlops.intake.ports import IntakePorts
from mlops.ledger.files import BucketFiles
from mlops.ledger.labels.recording import PREFIX, LabelFile
from mlops.models.dataset import ValidationReport
from mlops.models.errors import SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.models.settings.format import FormatSettings
from mlops.pages.number_format import counted
from mlops.use_cases.quality.record_labels import record_label_file, terms_of


def labels_format(upload: Upload, champion: ModelMetadata, ports: IntakePorts) -> FormatSettings:
    """Return how the files of the group are written, as `model.toml` says now; else as at the training."""
    try:
        return read_settings(upload, ports).format
    except SettingsError:
        return champion.settings.format


def decide_labels(
    attempt: Attempt, champion: ModelMetadata, form: FormatSettings, opened: AbstractContextManager[TableFile]
) -> Decision:
    """Record the labels of a file, or refuse the whole file.

    Parameters
    ----------
    opened
        Provides the table of the upload.
    """
    upload, ports, record = attempt.upload, attempt.ports, attempt.record
    terms = terms_of(champion, contract_of_version(champion, ports), form, ports.batches)
    name = upload.key.split("/", 2)[-1]
    file = LabelFile(record.group, record.upload_id, name, record.received_at)
    labels = BucketFiles(ports.objects, ports.artifact_bucket, PREFIX)
    with opened as table:
        report = record_label_file(table, terms, file, labels, limits=attempt.limits)
    if report.verdict == "reject":
        return reject(attempt, report)
    accepted = record.changed(state="accepted", finished_at=attempt.now)
    email = as_notification(compose_labels(upload, report))
    stored = ObjectRef(ports.artifact_bucket, f"{PREFIX}{file.key}").uri
    return Decision(replace(accepted, outbox=(email, *acceptance(accepted, report, stored))), report)


def compose_labels(upload: Upload, report: ValidationReport) -> tuple[str, str]:
    """Return subject and body of the email about labels that were recorded."""
    lines = [f"{counted(report.n_rows, 'label')} of {shown(upload.key, 200)} were recorded."]
    if remarks := (*report.of_severity("warn"), *report.of_severity("info")):
        lines += ["", "Please read:", *bullets(remarks)]
    lines += [
        "",
        "What happens next:",
        "They are compared with the predictions of the same rows. Labels whose prediction is not there yet",
        f"wait for it. `mlops quality {upload.group}` shows the result; an email comes when it drops.",
        "",
        f"Upload {upload.upload_id}",
    ]
    return f"[{upload.group}] {shown(upload.filename, 60)}: labels recorded", "\n".join(lines) + "\n"
