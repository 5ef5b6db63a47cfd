"""Decisions about uploads: stored with the notifications about them, which are sent afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from mlops.dataset.catalog.acceptance import AcceptedFile, accept_dataset
from mlops.dataset.limits import Limits
from mlops.dataset.validation.report_page import render_report
from mlops.infrastructure.event_names import CONVERSION_REQUESTED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.conversion import ConversionRequest
from mlops.intake.emails import compose_delay, compose_duplicate, compose_rejection, compose_retry
from mlops.intake.outbox import acceptance, as_notification, rejection, rule_ids, send_outbox
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.intake.receipt import compose_receipt
from mlops.intake.starts import start_training
from mlops.intake.trainings import LONGEST_WAIT, TRAINING_LIMIT, version_trained_on, waited_too_long
from mlops.intake.uploads import release_upload
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings

_MAX_NAME = 200  # characters of a file name in quarantine


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of intake for an upload that the run has claimed."""

    upload: Upload
    record: UploadRecord
    ports: IntakePorts
    limits: Limits
    now: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """The new record of an upload, and the report that led to it.

    With a `request` nothing is decided yet: the file is to be converted, and will be received once more.
    """

    record: UploadRecord
    report: ValidationReport | None = None
    request: ConversionRequest | None = None


def complete(attempt: Attempt, decide: Callable[[], Decision]) -> IntakeResult:
    """Decide unless an earlier attempt has, store the decision, and send the notifications about it.

    Raises
    ------
    Exception
        Only what the ports raise; then the upload is released, and the next attempt completes it.
    """
    try:
        return _complete(attempt, decide)
    except Exception as error:
        release_upload(attempt.record, attempt.ports.versions, fault=type(error).__name__)
        raise


def _complete(attempt: Attempt, decide: Callable[[], Decision]) -> IntakeResult:
    record, report, ports = attempt.record, None, attempt.ports
    if record.is_undecided:
        decision = decide()
        report, decided = decision.report, decision.record
        record = ports.versions.save_upload(decided if decided.outbox else replace(decided, claim=None))
        if decision.request is not None:
            # after the claim was given up, so that the run which the conversion starts can take it
            ports.notifier.publish_event(CONVERSION_REQUESTED, decision.request.to_dict())
        if record.claim != attempt.record.claim:
            return result_of(record, report)  # no notification to send, or another run has the claim now
    return result_of(send_outbox(record, ports.versions, ports.notifier), report)


def decide_unless_deleted(attempt: Attempt, decide: Callable[[], Decision]) -> Decision:
    """Decide; an object that is missing was rejected by an interrupted attempt, or deleted by a person."""
    try:
        return decide()
    except ObjectNotFoundError:
        if attempt.ports.objects.exists(attempt.upload.ref):
            raise
    report = _report_in_quarantine(attempt)
    if report is not None:
        return _rejected(attempt, report)
    return Decision(attempt.record.changed(state="ignored", reason="deleted", finished_at=attempt.now))


def accept_for_training(
    attempt: Attempt,
    report: ValidationReport,
    settings: GroupSettings,
    content: ObjectRef | None = None,
) -> Decision:
    """Store the data as a dataset version and start a training, unless they were trained on before.

    A training that has failed is started again. When the group has had the trainings of its policy today, the
    file waits. Settings that ask for less than the approval policy requires
    are refused here, the one way to a training.

    `content` is where the bytes are stored when they are not those of the upload itself.
    """
    upload, record, ports = attempt.upload, attempt.record, attempt.ports
    policy = ports.policies.of(record.group, settings)
    if policy.problems:
        return reject(attempt, _with_policy_problems(report, policy.problems))
    dataset = accept_dataset(
        AcceptedFile(upload, record.group, report, settings, content), ports, attempt.now
    )
    limit = policy.max_trainings_per_day
    start = start_training(
        dataset, upload, report, settings, ports, max_trainings_per_day=limit, now=attempt.now
    )
    if start is None:
        return _wait_for_another_day(attempt, report, limit)
    training = start.training
    accepted = record.changed(
        state="accepted",
        reason=None,
        dataset_id=dataset.dataset_id,
        work_id=training.training_id,
        finished_at=attempt.now,
    )
    outbox = acceptance(accepted, report)
    if start.failure is not None:
        email = as_notification(compose_retry(upload, training, start.failure))
        return Decision(replace(accepted, reason="trained_again", outbox=(email, *outbox)), report)
    if not start.is_new:
        version = version_trained_on(training, ports.models.list_models(record.group))
        email = as_notification(compose_duplicate(upload, training, version))
        return Decision(replace(accepted, reason="same_content", outbox=(email, *outbox)), report)
    receipt = as_notification(compose_receipt(upload, report, settings))
    return Decision(replace(accepted, outbox=(receipt, *outbox)), report)


def _wait_for_another_day(attempt: Attempt, report: ValidationReport, limit: int) -> Decision:
    """Let a valid file wait for the daily sweep, while that looks at it; say so by email the first time."""
    record = attempt.record
    if attempt.now - record.received_at >= LONGEST_WAIT:
        return reject(attempt, replace(report, verdict="reject", findings=(waited_too_long(limit),)))
    if record.state == "waiting":
        return Decision(record.changed(), report)
    email = as_notification(compose_delay(attempt.upload, limit))
    waiting = record.changed(state="waiting", reason=TRAINING_LIMIT, outbox=(email,))
    return Decision(waiting, report)


def _with_policy_problems(report: ValidationReport, problems: tuple[str, ...]) -> ValidationReport:
    advice = "Correct model.toml, or ask an administrator of the policy; then drop the file again."
    findings = tuple(Finding("policy", "reject", problem, advice=advice) for problem in problems)
    return replace(report, verdict="reject", findings=(*findings, *report.findings))


def reject(attempt: Attempt, report: ValidationReport) -> Decision:
    """Move the uploaded version to quarantine, with its report as a page and as JSON; a repeat is harmless.

    The report is written after the file, so a report shows that the file is there. Exactly the rejected
    version is deleted: a newer one under the same key stays.
    """
    upload, objects = attempt.upload, attempt.ports.objects
    objects.copy(upload.ref, _quarantined_file(attempt))
    page = render_report(report, title=upload.key.split("/", 2)[-1])
    objects.write(_in_quarantine(attempt, "report.html"), page.encode(), "text/html; charset=utf-8")
    objects.write(_in_quarantine(attempt, "report.json"), report.to_json().encode(), "application/json")
    objects.delete(upload.ref)
    return _rejected(attempt, report)


def reject_unread(attempt: Attempt, finding: Finding) -> Decision:
    """Move the uploaded version to quarantine for a reason that was found before its rows were read."""
    size_bytes, purpose = attempt.upload.size_bytes, str(attempt.upload.purpose)
    return reject(attempt, ValidationReport("reject", (finding,), 0, 0, "", size_bytes, purpose))


def result_of(
    record: UploadRecord, report: ValidationReport | None = None, *, is_repeated: bool = False
) -> IntakeResult:
    """Return the result for an upload, as it may be logged."""
    return IntakeResult(
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


def _rejected(attempt: Attempt, report: ValidationReport) -> Decision:
    rules, file = rule_ids(report), _quarantined_file(attempt)
    rejected = attempt.record.changed(state="rejected", reason=rules[0], finished_at=attempt.now)
    email = compose_rejection(attempt.upload, report, file)
    return Decision(replace(rejected, outbox=rejection(rejected, report, email, file)), report)


def _report_in_quarantine(attempt: Attempt) -> ValidationReport | None:
    """Return the report of an upload that was moved before; None when it was not."""
    try:
        content = attempt.ports.objects.read(_in_quarantine(attempt, "report.json"))
    except ObjectNotFoundError:
        return None
    return ValidationReport.from_json(content)


def _quarantined_file(attempt: Attempt) -> ObjectRef:
    return _in_quarantine(attempt, attempt.upload.filename[-_MAX_NAME:] or "file")


def _in_quarantine(attempt: Attempt, name: str) -> ObjectRef:
    folder = f"quarantine/{attempt.upload.recorded_group}/{attempt.upload.upload_id}"
    return ObjectRef(attempt.ports.artifact_bucket, f"{folder}/{name}")
