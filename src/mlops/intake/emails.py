"""The emails of intake: what is wrong, where, what to do, and where the file is now."""

from __future__ import annotations

from mlops.dataset.privacy import shown
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.folders import closes_folder, folder_of
from mlops.intake.trainings import LONGEST_WAIT, command_to_raise, describe_limit
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.objects import ObjectRef

_MAX_FINDINGS = 10
_MAX_LINE = 1_000  # a list of many names is whole in the report
_ADVICE = (
    "Correct it, then drop the file again under the same or another name.",
    "Nothing was lost; the file and a page with all findings are in quarantine:",
)
_ADVICE_FOR_PARTS = (
    "Replace the parts that are wrong, then drop the closing file into the folder again. All parts are where",
    "you put them; the closing file and a page with all findings are in quarantine:",
)


def compose_rejection(upload: Upload, report: ValidationReport, file: ObjectRef) -> tuple[str, str]:
    """Return subject and body of the email about a rejected upload; `file` is where it is in quarantine."""
    is_folder = closes_folder(upload)
    name, reasons, remarks = (
        shown(name_of(upload), 80),
        report.of_severity("reject"),
        report.of_severity("warn"),
    )
    lines = [
        f"The {'parts in' if is_folder else 'file'} {shown(path_of(upload), 200)}"
        f" {'were' if is_folder else 'was'} not used.",
        "",
        "What is wrong:",
        *bullets(reasons),
    ]
    if remarks:
        lines += ["", "Also worth a look:", *bullets(remarks)]
    lines += [
        "",
        *(_ADVICE_FOR_PARTS if is_folder else _ADVICE),
        file.uri,
        f"{file.uri.rsplit('/', 1)[0]}/report.html",
        "",
        f"Upload {upload.upload_id}",
    ]
    return f"[{upload.recorded_group}] {name} was rejected", "\n".join(lines) + "\n"


def compose_duplicate(upload: Upload, training: TrainingRecord, version: str | None) -> tuple[str, str]:
    """Return subject and body of the email about bytes that were trained on before."""
    result = (
        f"They became version {version} of {training.group}."
        if version
        else f"Their training {training.training_id} was started at {training.started_at:%Y-%m-%d %H:%M} UTC."
    )
    body = (
        f"The {'folder' if closes_folder(upload) else 'file'} {shown(path_of(upload), 200)} has the same"
        " bytes as an earlier one,"
        " and the settings are the same.\n"
        f"{result}\n\nNo second training was started. To train again, change the data or model.toml.\n"
    )
    return f"[{training.group}] {shown(name_of(upload), 80)}: trained on before, not trained again", body


def compose_retry(upload: Upload, training: TrainingRecord, failure: TrainingFailure) -> tuple[str, str]:
    """Return subject and body of the email about bytes whose last training failed, and are trained again."""
    step = f", at the step {failure.step}" if failure.step else ""
    body = (
        f"The {'folder' if closes_folder(upload) else 'file'} {shown(path_of(upload), 200)} has the same"
        " bytes as an earlier one, and the settings are the same.\n"
        f"The last training of them failed at {failure.failed_at:%Y-%m-%d %H:%M} UTC{step}.\n"
        f"{failure.error}: {failure.reason}\n\n"
        f"Attempt {training.attempt} was started. Its result comes by email.\n"
    )
    return f"[{training.group}] {shown(name_of(upload), 80)}: training again", body


def compose_delay(upload: Upload, limit: int) -> tuple[str, str]:
    """Return subject and body of the email about a valid training file that waits for another day."""
    body = (
        f"The {'folder' if closes_folder(upload) else 'file'} {shown(path_of(upload), 200)} is valid, and its"
        f" training waits.\n{describe_limit(limit)}\n"
        "The daily check of the uploads starts it on the first day with a training left, within "
        f"{LONGEST_WAIT.days} days. Nothing needs to be dropped again.\n\n"
        "To train on it today, an administrator raises the limit, and you drop the file again:\n"
        f"    {command_to_raise(str(upload.group))}\n"
    )
    return f"[{upload.group}] {shown(name_of(upload), 80)} waits for another day", body


def name_of(upload: Upload) -> str:
    """Return the name of the file, or of the folder that was closed."""
    return path_of(upload).split("/", 2)[-1] if closes_folder(upload) else upload.filename


def path_of(upload: Upload) -> str:
    """Return the key of the file, or the path of the folder that was closed."""
    return folder_of(upload) if closes_folder(upload) else upload.key


def bullets(findings: tuple[Finding, ...]) -> list[str]:
    """Return the findings as lines of plain text, the advice below each."""
    lines: list[str] = []
    for finding in findings[:_MAX_FINDINGS]:
        lines.append(f"- {finding.message}")
        if finding.advice:
            lines.append(f"  {finding.advice}")
        if finding.accept_with:
            lines.append("  Or accept it on purpose, with these lines in model.toml:")
            lines += [f"    {shown(line, _MAX_LINE)}" for line in finding.accept_with.splitlines()]
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"- and {len(findings) - _MAX_FINDINGS} more, see the report")
    return lines
