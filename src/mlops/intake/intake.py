"""Intake: what is done with a file that was dropped into the data bucket.

Events are delivered twice, in parallel, late and out of order, and a run may be killed at any point.
Therefore one run at a time has the claim on an upload (`uploads`); every step can be repeated, because names
are derived from the content or from bucket, key and version id; and a decision is stored together with its
notifications before these are sent (`outbox`). The next attempt completes what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.catalog.acceptance import contract_of_version, current_contract
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.validation.scoring import check_scoring_table, scoring_terms
from mlops.dataset.validation.validate import validate_table_file
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import UPLOADS_IGNORED
from mlops.infrastructure.upload_events import REWRITTEN, Upload
from mlops.intake.answers.empty import ignore_empty, is_followed, waits_for_content
from mlops.intake.answers.given_up import give_up, is_given_up
from mlops.intake.answers.misplaced import answer_misplaced, why_other_group
from mlops.intake.answers.settings_file import check_settings_file, read_settings, settings_problem
from mlops.intake.conversion import (
    ConversionRequest,
    StoredConversion,
    find_conversion,
    needs_conversion,
)
from mlops.intake.decisions import (
    Attempt,
    Decision,
    accept_for_training,
    complete,
    decide_unless_deleted,
    reject,
    reject_unread,
    result_of,
)
from mlops.intake.features.ingestion import decide_features
from mlops.intake.features.joining import RULE, find_joined, join_features
from mlops.intake.labels import decide_labels, labels_format
from mlops.intake.outbox import acceptance
from mlops.intake.placement.folders import closes_folder
from mlops.intake.placement.placement import is_settings_file, why_misplaced
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.intake.starts import start_scoring
from mlops.intake.uploads import EMPTY, USED_OTHERWISE, record_ignored, take_upload, why_ignored
from mlops.intake.waiting import may_wait, wait_for_champion
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import FeatureStoreError, SettingsError
from mlops.models.intake.uploads import Claim
from mlops.models.registry import ModelMetadata
from mlops.models.settings.format import FileFormatSettings, FormatPurpose
from mlops.models.settings.group import GroupSettings


def receive_upload(
    upload: Upload, *, ports: IntakePorts, limits: Limits, claim: Claim, now: datetime
) -> IntakeResult:
    """Validate an uploaded file and start its training or scoring.

    A training file becomes a dataset version and starts a training, unless the same bytes with the same
    settings were trained on before. A scoring file is scored with the current champion, and waits while
    there is none. Labels are recorded beside the ledger, and wait as well. Values of features are stored in
    the feature store. A file that cannot be used is moved to quarantine, and an email says what to do. A file
    of another format than CSV is first requested to be converted, and received again afterwards. An object
    that closes a folder of parts starts their validation, which ends in `parts.merging`. An object in a wrong
    place stays there, and an email says where it belongs. Temporary files and those of systems are ignored,
    and the reason is recorded.

    Parameters
    ----------
    claim : Claim
        The id of the run (the same for a retry of the same run), and when it will have ended for certain.

    Raises
    ------
    Exception
        Only what the ports raise; then no upload is lost, and the next attempt of the event completes it.
    """
    if reason := why_ignored(upload):
        return _ignore(upload, reason, ports, now)
    if waits_for_content(upload, ports.versions, now):
        return IntakeResult("ignored", EMPTY, upload.group, upload.upload_id, upload.purpose)
    record = take_upload(upload, ports.versions, claim, now)
    if record.claim != claim:
        return result_of(record, is_repeated=True)
    attempt = Attempt(upload, record, ports, limits, now)
    return complete(attempt, lambda: decide_unless_deleted(attempt, lambda: _answer(attempt)))


def _ignore(upload: Upload, reason: str, ports: IntakePorts, now: datetime) -> IntakeResult:
    """Record why an object is ignored, and count it; no email is sent."""
    is_repeated = record_ignored(upload, reason, ports.versions, now)
    if not is_repeated and reason not in USED_OTHERWISE:
        ports.notifier.publish_metrics([Metric(UPLOADS_IGNORED, 1)], group=upload.group)
    return IntakeResult(
        "ignored", reason, upload.group, upload.upload_id, upload.purpose, is_repeated=is_repeated
    )


def _answer(attempt: Attempt) -> Decision:
    """Decide by the place of the object, and by how often this was tried."""
    upload, ports = attempt.upload, attempt.ports
    if is_given_up(attempt):
        return give_up(attempt)
    if REWRITTEN in ports.objects.head(upload.ref).metadata:  # wherever it is: it was answered before
        ignored = attempt.record.changed(state="ignored", reason="rewritten", finished_at=attempt.now)
        return Decision(ignored)
    if reason := why_misplaced(upload) or why_other_group(upload, ports.versions):
        return answer_misplaced(attempt, reason)
    if is_settings_file(upload):
        return check_settings_file(attempt)
    if closes_folder(upload):
        return _start_validation(attempt)
    return ignore_empty(attempt) if is_followed(upload, ports.objects) else _decide(attempt)


def _start_validation(attempt: Attempt) -> Decision:
    """Start the validation of the parts of a folder, once; its last step decides.

    A folder that waits for another day is validated once more on each of them.
    """
    upload, record = attempt.upload, attempt.record
    document = {"group": record.group, "upload_id": record.upload_id, "upload": upload.to_dict()}
    day = f"-{attempt.now:%Y%m%d}" if record.state == "waiting" else ""
    attempt.ports.executions.start_validation(f"{record.upload_id}{day}", document)
    return Decision(record.changed(work_id=record.upload_id))


def _decide(attempt: Attempt) -> Decision:
    upload = attempt.upload
    if upload.size_bytes > attempt.limits.max_expanded_bytes:
        size, limit = upload.size_bytes // MIB, attempt.limits.max_expanded_bytes // MIB
        message = f"The file is too large: {size:,} MiB, the limit is {limit:,} MiB."
        is_training = upload.purpose == "training"
        advice = "Train on fewer rows, or raise MaxUploadBytes." if is_training else "Split the file."
        return reject_unread(attempt, Finding("too_large", "reject", message, advice=advice))
    return _DECIDE_FOR[str(upload.purpose)](attempt)


def _decide_training(attempt: Attempt) -> Decision:
    """Check a file by the settings and the contract of the group."""
    try:
        settings = read_settings(attempt.upload, attempt.ports)
    except SettingsError as error:
        return reject_unread(attempt, settings_problem(attempt.upload, error))
    prepared = _prepare(attempt, settings, "training")
    if isinstance(prepared, Decision):
        return prepared
    stored, settings = prepared
    with _table_file(attempt, stored) as table:
        report = _validate(table, attempt, settings)
    if report.verdict == "reject":
        return reject(attempt, report)
    return accept_for_training(attempt, report, settings, stored.content if stored else None)


def _prepare(
    attempt: Attempt, settings: GroupSettings, purpose: FormatPurpose
) -> tuple[StoredConversion | None, GroupSettings] | Decision:
    """Return the table of an upload where it is not the file itself, and the settings to check it by.

    That is a table of another format, or one with the features of `[features]`. Otherwise the decision to
    request the conversion, or to refuse the file.
    """
    stored = _conversion(attempt, settings.format.of(purpose))
    if isinstance(stored, Decision):
        return stored
    if settings.features.service is None or (stored is not None and stored.conversion.is_refused):
        return stored, settings
    try:
        joined = find_joined(attempt)
        if joined is None:
            with _table_file(attempt, stored) as table:
                joined = join_features(attempt, table, settings)
    except FeatureStoreError as error:
        advice = "Correct it, then drop the file again."
        return reject_unread(attempt, Finding(RULE, "reject", str(error), advice=advice))
    if joined is None:
        return stored, settings
    return joined.stored, joined.settings_from(settings) if purpose == "training" else settings


def _validate(table: TableFile, attempt: Attempt, settings: GroupSettings) -> ValidationReport:
    """Check a training file against the group's contract."""
    contract = current_contract(str(attempt.upload.group), attempt.ports)
    report = validate_table_file(table, settings, contract, purpose="training", limits=attempt.limits)
    if contract is not None and contract.learned_from == report.sha256:
        # an interrupted attempt has learned the contract from this file: validate as that attempt did
        return validate_table_file(table, settings, None, purpose="training", limits=attempt.limits)
    return report


def _decide_scoring(attempt: Attempt) -> Decision:
    """Check a file by the settings and the contract of the champion.

    Of `model.toml` only `[scoring]` and `[output]` count, which say nothing about the model.
    """
    upload, ports = attempt.upload, attempt.ports
    champion = ports.models.champion(str(upload.group))
    if champion is None and may_wait(attempt):
        return wait_for_champion(attempt)
    if champion is None:
        message = f"The group {upload.group} has no approved model to score with."
        advice = "Approve a version first, then drop the file again."
        return reject_unread(attempt, Finding("no_champion", "reject", message, advice=advice))
    prepared = _prepare(attempt, _settings_to_score_by(champion, attempt), "inference")
    if isinstance(prepared, Decision):
        return prepared
    stored, settings = prepared
    terms = scoring_terms(settings, contract_of_version(champion, ports), champion.features)
    with _table_file(attempt, stored) as table:
        report = check_scoring_table(table, terms, limits=attempt.limits)
    if report.verdict == "reject":
        return reject(attempt, report)
    batch_id = start_scoring(
        upload,
        champion,
        settings,
        ports,
        received_at=attempt.record.received_at,
        content=stored.content if stored else None,
    )
    accepted = attempt.record.changed(
        state="accepted", reason=None, work_id=batch_id, finished_at=attempt.now
    )
    return Decision(replace(accepted, outbox=acceptance(accepted, report)), report)


def _decide_labels(attempt: Attempt) -> Decision:
    """Check a file of labels by the champion, and by how `model.toml` says that such files are written."""
    upload, ports = attempt.upload, attempt.ports
    champion = ports.models.champion(str(upload.group))
    if champion is None:
        return wait_for_champion(attempt)
    form = labels_format(upload, champion, ports)
    stored = _conversion(attempt, form.of("labels"))
    if isinstance(stored, Decision):
        return stored
    return decide_labels(attempt, champion, form, _table_file(attempt, stored))


_DECIDE_FOR = {
    "training": _decide_training,
    "inference": _decide_scoring,
    "labels": _decide_labels,
    "features": decide_features,
}


def _settings_to_score_by(champion: ModelMetadata, attempt: Attempt) -> GroupSettings:
    """Return the settings of the champion; a mistake in `model.toml` stops no champion from scoring."""
    try:
        current = read_settings(attempt.upload, attempt.ports)
    except SettingsError:
        return champion.settings
    return replace(champion.settings, scoring=current.scoring, output=current.output)


def _conversion(attempt: Attempt, stated: FileFormatSettings) -> StoredConversion | Decision | None:
    """Return the conversion of the upload, None when it needs none, or the decision to request it."""
    upload, ports = attempt.upload, attempt.ports
    if not needs_conversion(upload, ports.objects):
        return None
    request = ConversionRequest(upload, SheetChoice.of(stated))
    stored = find_conversion(request, ports.objects, ports.artifact_bucket)
    return stored or Decision(attempt.record.changed(), request=request)


@contextmanager
def _table_file(attempt: Attempt, stored: StoredConversion | None) -> Iterator[TableFile]:
    """Download the table of an upload; validation sees only the suffix of a name that a person has chosen."""
    with TemporaryDirectory() as folder:
        is_gzip = attempt.upload.key.lower().endswith(".gz")
        path = Path(folder) / ("upload.csv.gz" if is_gzip else "upload.csv")
        source = stored.content if stored else attempt.upload.ref
        if source is not None:  # a file that was refused by its conversion has no table
            attempt.ports.objects.download(source, path)
        yield TableFile(path, stored.conversion if stored else None)
