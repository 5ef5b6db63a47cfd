"""The mails of intake: what was wrong, where, what to do, and where the file lies now."""

from __future__ import annotations

from mlops.dataset.privacy import shown
from mlops.infrastructure.upload_events import Upload
from mlops.intake.folders import SUCCESS_FILE, closes_folder, folder_of
from mlops.intake.waiting_folders import WaitingFolder
from mlops.models.dataset import Finding, TrainingRecord, ValidationReport
from mlops.models.objects import ObjectRef

_MAX_FINDINGS = 10
_AGAIN = (
    "When that is put right, drop the file again under the same or another name.",
    "Nothing was lost; the file and a page with all findings lie in quarantine:",
)
_AGAIN_WITH_PARTS = (
    "Replace the parts that are wrong, then drop the closing file into the folder again. All parts are where",
    "you put them; the closing file and a page with all findings lie in quarantine:",
)


def rejection_mail(upload: Upload, report: ValidationReport, place: ObjectRef) -> tuple[str, str]:
    """Return subject and body of the mail about a file that was refused."""
    is_folder = closes_folder(upload)
    name, reasons, remarks = (
        shown(_name(upload), 80),
        report.of_severity("reject"),
        report.of_severity("warn"),
    )
    lines = [
        f"The {'parts in' if is_folder else 'file'} {shown(_path(upload), 200)}"
        f" {'were' if is_folder else 'was'} not used.",
        "",
        "What is wrong:",
        *_bullets(reasons),
    ]
    if remarks:
        lines += ["", "Also worth a look:", *_bullets(remarks)]
    lines += [
        "",
        *(_AGAIN_WITH_PARTS if is_folder else _AGAIN),
        place.uri,
        f"{place.uri.rsplit('/', 1)[0]}/report.html",
        "",
        f"Upload {upload.upload_id}",
    ]
    return f"[{upload.group}] {name} was rejected", "\n".join(lines) + "\n"


def duplicate_mail(upload: Upload, training: TrainingRecord, version: str | None) -> tuple[str, str]:
    """Return subject and body of the mail about bytes that were trained on before."""
    became = (
        f"They became version {version} of {training.group}."
        if version
        else f"Their training {training.training_id} was started at {training.started_at:%Y-%m-%d %H:%M} UTC."
    )
    body = (
        f"The {'folder' if closes_folder(upload) else 'file'} {shown(_path(upload), 200)} holds the same"
        " bytes as an earlier one,"
        " and the settings are the same.\n"
        f"{became}\n\nNo second training was started. To train again, change the data or model.toml.\n"
    )
    return f"[{training.group}] {shown(_name(upload), 80)}: known already, not trained again", body


def waiting_mail(waiting: WaitingFolder) -> tuple[str, str]:
    """Return subject and body of the mail about a folder of parts that nobody has closed."""
    folder = shown(waiting.folder, 200)
    count = f"{waiting.n_parts} part{'' if waiting.n_parts == 1 else 's'}"
    body = (
        f"The folder {folder} holds {count}, and for a day none came after.\n"
        "Parts are used when the folder is complete, and nothing says that it is.\n\n"
        f"If it is complete, drop an empty file {SUCCESS_FILE} into it:\n{waiting.folder}{SUCCESS_FILE}\n\n"
        "A file that is a whole table belongs one level up, straight into training/.\n"
    )
    return f"[{waiting.group}] {shown(waiting.folder.split('/', 2)[-1], 80)} waits to be closed", body


def _name(upload: Upload) -> str:
    """Return what people call it: the file, or the folder that was closed."""
    return _path(upload).split("/", 2)[-1] if closes_folder(upload) else upload.filename


def _path(upload: Upload) -> str:
    return folder_of(upload) if closes_folder(upload) else upload.key


def _bullets(findings: tuple[Finding, ...]) -> list[str]:
    """Return the findings as lines of plain text, the advice below each."""
    lines: list[str] = []
    for finding in findings[:_MAX_FINDINGS]:
        lines.append(f"- {finding.message}")
        if finding.advice:
            lines.append(f"  {finding.advice}")
        if finding.accept_with:
            lines.append("  Or accept it on purpose, with these lines in model.toml:")
            lines += [f"    {line}" for line in finding.accept_with.splitlines()]
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"- and {len(findings) - _MAX_FINDINGS} more, see the report")
    return lines
