"""Rejected files: moved out of the way, with a report beside them that a person can read."""

from __future__ import annotations

from mlops.dataset.validation.report_page import render_report
from mlops.infrastructure.upload_events import Upload
from mlops.intake.ports import IntakePorts
from mlops.models.dataset import ValidationReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef

_LONGEST_NAME = 200


def quarantine(upload: Upload, report: ValidationReport, ports: IntakePorts) -> ObjectRef:
    """Copy the file and write its report in both forms; return where the file lies. Repeating it is harmless.

    Nothing is deleted here. The report is written last: where it lies, the file lies too.
    """
    file = quarantined_file(upload, ports)
    ports.objects.copy(upload.ref, file)
    page = render_report(report, title=upload.key.split("/", 2)[-1])
    ports.objects.write(_place(upload, ports, "report.html"), page.encode(), "text/html; charset=utf-8")
    document = report.to_json().encode()
    ports.objects.write(_place(upload, ports, "report.json"), document, "application/json")
    return file


def quarantined_file(upload: Upload, ports: IntakePorts) -> ObjectRef:
    """Return where the file lies when it was rejected."""
    return _place(upload, ports, upload.filename[-_LONGEST_NAME:] or "file")


def remove_from_drop_folder(upload: Upload, ports: IntakePorts) -> None:
    """Delete exactly the version that was rejected; a newer one under the same key stays."""
    ports.objects.delete(upload.ref)


def report_in_quarantine(upload: Upload, ports: IntakePorts) -> ValidationReport | None:
    """Return the report of an upload that was moved before, None when it was not."""
    try:
        return ValidationReport.from_json(ports.objects.read(_place(upload, ports, "report.json")))
    except ObjectNotFoundError:
        return None


def _place(upload: Upload, ports: IntakePorts, name: str) -> ObjectRef:
    return ObjectRef(ports.artifact_bucket, f"quarantine/{upload.group}/{upload.upload_id}/{name}")
