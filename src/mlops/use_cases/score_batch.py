"""Scoring of one uploaded file with the champion, exactly once, from object storage to object storage."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.drift import DriftReport
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.scoring.batch import MANIFEST, BatchFile, BatchManifest, BatchSummary
from mlops.models.scoring.batch_folder import folder_without_name
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.result import DataQuality, InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.pipelines.inference_pipeline import (
    BATCH_PROFILE,
    CONTENT_TYPES,
    DATA_QUALITY,
    DRIFT_PAGE,
    DRIFT_REPORT,
    PREDICTIONS,
)
from mlops.use_cases.model_cache import ModelCache, ScoringModel

ANNOUNCED = "announced.json"


@dataclass(frozen=True, slots=True)
class ScoringRequest(Record):
    """One file to score; `batch_id` is the id of its upload.

    `content` is where its rows are stored when the upload was converted from another format. `folder` is
    where the results belong; requests of releases before 0.3 do not name it.
    """

    group: str
    batch_id: str
    upload: Upload
    model: ScoringModel
    settings: GroupSettings = field(default_factory=GroupSettings)
    content: ObjectRef | None = None
    folder: str | None = None


class Notifier(Protocol):
    """Notifies people and systems of predictions; may be called twice for a batch, after a crash."""

    def __call__(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        """Publish the metrics and the event, and send the email."""


@dataclass(frozen=True, slots=True)
class _BatchFolder:
    """Where the files of one batch are stored in the artifact bucket."""

    bucket: str
    key: str

    @classmethod
    def of(cls, request: ScoringRequest, bucket: str) -> _BatchFolder:
        """Return the folder that the request names."""
        return cls(bucket, request.folder or folder_without_name(request.group, request.batch_id))

    def ref(self, name: str, version_id: str | None = None) -> ObjectRef:
        """Return the address of a file of the batch."""
        return ObjectRef(self.bucket, f"{self.key}/{name}", version_id)


def score_batch(
    request: ScoringRequest,
    objects: ObjectStore,
    *,
    artifact_bucket: str,
    models: ModelCache,
    notify: Notifier,
    now: datetime,
) -> BatchSummary:
    """Score the uploaded file and store the results; a batch that is complete is not scored again.

    The files are written first, then the profile for the nightly check, then the manifest. The notification
    is sent after the manifest was written, and recorded after that, so a crash in between repeats it rather
    than losing it.

    Raises
    ------
    DatasetError
        If the file cannot be scored.
    ArtifactError
        If the model is not the registered one or cannot be loaded.
    """
    folder = _BatchFolder.of(request, artifact_bucket)
    if objects.exists(folder.ref(MANIFEST)):
        return _complete(folder, objects, notify, now)
    with tempfile.TemporaryDirectory() as scratch:
        result, output = _score(request, objects, models, Path(scratch), now)
        summary = _summarize(request, result, folder)
        manifest = _store(request, summary, result.columns, output, objects, folder, now)
        manifest = replace(manifest, source_sha256=sha256_of(Path(scratch) / _local_name(request)))
    objects.write(folder.ref(MANIFEST), manifest.to_json().encode(), "application/json")
    notify(summary, result.data_quality, result.drift_report)
    _record_notification(folder, objects, now)
    return summary


def _complete(folder: _BatchFolder, objects: ObjectStore, notify: Notifier, now: datetime) -> BatchSummary:
    """Return the summary of a scored batch; send its notification if an interrupted run did not."""
    manifest = BatchManifest.from_json(objects.read(folder.ref(MANIFEST)))
    if not objects.exists(folder.ref(ANNOUNCED)):

        def read(name: str) -> bytes:
            return objects.read(folder.ref(name, manifest.files[name].version_id))

        drift = DriftReport.from_json(read(DRIFT_REPORT)) if DRIFT_REPORT in manifest.files else None
        notify(manifest.summary, DataQuality.from_json(read(DATA_QUALITY)), drift)
        _record_notification(folder, objects, now)
    return manifest.summary


def _score(
    request: ScoringRequest, objects: ObjectStore, models: ModelCache, scratch: Path, now: datetime
) -> tuple[InferenceResult, Path]:
    pipeline = models.pipeline(request.model, objects)
    source = scratch / _local_name(request)
    objects.download(request.content or request.upload.ref, source)
    output = scratch / "output"
    result = pipeline.execute(source, output, now=now, model_group=request.group, settings=request.settings)
    return result, output


def _local_name(request: ScoringRequest) -> str:
    """Return a name for the downloaded file: of a name that a person has chosen, only the suffix counts."""
    if request.content is not None:
        return request.content.key.rsplit("/", 1)[-1]  # it says how the table is written
    return "input.csv.gz" if request.upload.filename.lower().endswith(".gz") else "input.csv"


def _summarize(request: ScoringRequest, result: InferenceResult, folder: _BatchFolder) -> BatchSummary:
    drift = result.drift_report
    return BatchSummary(
        group=request.group,
        batch_id=request.batch_id,
        n_rows=result.n_rows,
        predictions_uri=folder.ref(PREDICTIONS).uri,
        report_uri=folder.ref(DRIFT_PAGE).uri if drift else None,
        drift_verdict=drift.verdict if drift else None,
        drift_score=drift.drift_score if drift else None,
        features_with_drift=drift.features_with_drift if drift else (),
        file_name=request.upload.filename,
        model_version=request.model.version,
        manifest_uri=folder.ref(MANIFEST).uri,
        row_statuses=result.data_quality.row_statuses,
    )


def _store(
    request: ScoringRequest,
    summary: BatchSummary,
    columns: PredictionColumns,
    output: Path,
    objects: ObjectStore,
    folder: _BatchFolder,
    now: datetime,
) -> BatchManifest:
    """Upload the files and the profile; return the manifest, which is not written yet."""
    files = {}
    for name, content_type in CONTENT_TYPES.items():
        path = output / name
        if path.is_file():
            stored = objects.upload(path, folder.ref(name), content_type)
            files[name] = BatchFile(sha256_of(path), stored.version_id)
    if (output / BATCH_PROFILE).is_file():
        key = f"profiles/{request.group}/{request.model.version}/{now:%Y-%m-%d}/{request.batch_id}.json"
        objects.upload(output / BATCH_PROFILE, ObjectRef(folder.bucket, key), CONTENT_TYPES[BATCH_PROFILE])
    return BatchManifest(
        summary=summary,
        model_version=request.model.version,
        model_sha256=request.model.artifact.sha256,
        source=request.upload.ref,
        created_at=now,
        files=files,
        columns=columns,
    )


def _record_notification(folder: _BatchFolder, objects: ObjectStore, now: datetime) -> None:
    document = json.dumps({"announced_at": now.isoformat()})
    objects.write(folder.ref(ANNOUNCED), document.encode(), "application/json")
