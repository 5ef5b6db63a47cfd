"""Dropped files of features: checked by the definition of their view, and stored, each row once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from mlops.dataset.privacy import shown
from mlops.feature_store.offline.state import Ingestion
from mlops.feature_store.offline.tables import SUFFIXES, unknown_suffix
from mlops.infrastructure.upload_events import FEATURES_FOLDER, Upload
from mlops.intake.decisions import Attempt, Decision, reject_unread
from mlops.intake.outbox import acceptance, as_notification
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import FeatureStoreError
from mlops.pages.number_format import counted


def decide_features(attempt: Attempt) -> Decision:
    """Store the values of a file, or refuse the whole file."""
    upload, record = attempt.upload, attempt.record
    try:
        ingestion = _ingest(attempt)
    except FeatureStoreError as error:
        advice = "Nothing of the file was stored."
        return reject_unread(attempt, Finding("feature_values", "reject", str(error), advice=advice))
    report = ValidationReport(
        "accept", (), ingestion.n_rows, 0, ingestion.sha256, upload.size_bytes, "features"
    )
    accepted = record.changed(state="accepted", work_id=ingestion.ingestion_id, finished_at=attempt.now)
    email = as_notification(compose_ingestion(upload, ingestion))
    return Decision(replace(accepted, outbox=(email, *acceptance(accepted, report))), report)


def _ingest(attempt: Attempt) -> Ingestion:
    upload, ports = attempt.upload, attempt.ports
    suffix = PurePosixPath(upload.filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise unknown_suffix(shown(upload.filename, 80))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        ports.objects.download(upload.ref, path)
        name = shown(upload.key.removeprefix(f"{FEATURES_FOLDER}/"), 200)
        return ports.features.ingest(str(upload.view), path, name=name, upload_id=upload.upload_id)


def compose_ingestion(upload: Upload, ingestion: Ingestion) -> tuple[str, str]:
    """Return subject and body of the email about values that were stored."""
    n_left = ingestion.n_rows - ingestion.n_stored
    lines = [
        f"{shown(upload.key, 200)} was accepted: {counted(ingestion.n_stored, 'row')} of "
        f"{counted(ingestion.n_rows, 'row')} stored."
    ]
    if n_left:
        lines.append(f"{n_left:,} were stored before, or are repeated in the file.")
    if ingestion.earliest and ingestion.latest:
        lines.append(f"Times: {ingestion.earliest:%Y-%m-%d %H:%M} to {ingestion.latest:%Y-%m-%d %H:%M} UTC.")
    lines += [
        "",
        "What happens next:",
        "Trainings read these values from now on. Requests and files to score read the newest ones after the",
        "next materialization: every night, or now with `mlops features materialize`.",
        "",
        f"Upload {upload.upload_id}",
    ]
    return f"[{upload.recorded_group}] {shown(upload.filename, 60)}: values stored", "\n".join(lines) + "\n"
