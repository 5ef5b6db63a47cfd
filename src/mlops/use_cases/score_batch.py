"""Scoring one uploaded file with the champion, exactly once: from object storage to object storage."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.drift import DriftReport
from mlops.models.errors import ArtifactError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.registry import Artifact
from mlops.models.settings.group import GroupSettings
from mlops.models.training import DataQuality, InferenceResult
from mlops.pipelines.artifacts.archive import sha256_of, unpack
from mlops.pipelines.inference_pipeline import (
    BATCH_PROFILE,
    CONTENT_TYPES,
    DRIFT_PAGE,
    PREDICTIONS,
    InferencePipeline,
)

MANIFEST = "manifest.json"
ANNOUNCED = "announced.json"


@dataclass(frozen=True, slots=True)
class ScoringModel(Record):
    """The version to score with, and the training source that made it."""

    version: str
    artifact: Artifact
    source_uri: str | None = None


@dataclass(frozen=True, slots=True)
class ScoringRequest(Record):
    """One file to score; `batch_id` is the identity of the upload."""

    group: str
    batch_id: str
    upload: Upload
    model: ScoringModel
    settings: GroupSettings = field(default_factory=GroupSettings)


@dataclass(frozen=True, slots=True)
class BatchSummary(Record):
    """What came of a batch; the drift fields are None when the model has no baseline."""

    group: str
    batch_id: str
    n_rows: int
    predictions_uri: str
    report_uri: str | None = None
    drift_verdict: str | None = None
    drift_score: float | None = None
    features_with_drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchFile(Record):
    """One file of a batch, in the version that belongs to it."""

    sha256: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class BatchManifest(Record):
    """Written last: a batch that has it is complete, and consists of exactly these files."""

    summary: BatchSummary
    model_version: str
    model_sha256: str
    source: ObjectRef
    created_at: datetime
    files: Mapping[str, BatchFile]


class Notifier(Protocol):
    """Tells the world that predictions are there; may be called twice for a batch, after a crash."""

    def __call__(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        """Publish metrics, an event and a mail."""


class ModelCache:
    """Models that were downloaded before, by digest: kept on disk and, the last one, in memory.

    Parameters
    ----------
    directory
        Where models are unpacked; survives between warm invocations.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: tuple[tuple[str, str], InferencePipeline] | None = None

    def pipeline(self, model: ScoringModel, objects: ObjectStore) -> InferencePipeline:
        """Return the pipeline of a model, downloading it when it is new here.

        Raises
        ------
        ArtifactError
            If the archive is not the one that was registered, or cannot be loaded.
        """
        key = (model.artifact.sha256, model.version)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # let go of the old model before the new one takes its place
            path = self._fetch(model.artifact, objects)
            self._loaded = (key, InferencePipeline(path, model_version=model.version))
        return self._loaded[1]

    def _fetch(self, artifact: Artifact, objects: ObjectStore) -> Path:
        """Download that version, compare its digest, unpack it, and only then give it its name."""
        path = self._directory / artifact.sha256
        if path.is_dir():
            return path
        shutil.rmtree(self._directory, ignore_errors=True)  # /tmp of a Lambda holds one model easily, not ten
        self._directory.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            archive, unpacked = Path(scratch) / "model.tar.gz", Path(scratch) / "model"
            objects.download(ObjectRef.from_uri(artifact.uri, artifact.version_id), archive)
            if sha256_of(archive) != artifact.sha256:
                raise ArtifactError(f"{artifact.uri} is not the registered model: its digest differs.")
            unpack(archive, unpacked)
            unpacked.rename(path)
        return path


def score_batch(
    request: ScoringRequest,
    objects: ObjectStore,
    *,
    artifact_bucket: str,
    models: ModelCache,
    notify: Notifier,
    now: datetime,
) -> BatchSummary:
    """Score the uploaded file and store what came of it; a batch that is complete is not scored again.

    The files are written first, then the profile for the nightly check, then the manifest. A batch is
    announced once its manifest stands; the mark that it was announced is written after that, so a crash in
    between announces it twice rather than never.

    Raises
    ------
    DatasetError
        If the file cannot be scored.
    ArtifactError
        If the model is not the registered one or cannot be loaded.
    """
    folder = f"predictions/{request.group}/{request.batch_id}"
    manifest_ref = ObjectRef(artifact_bucket, f"{folder}/{MANIFEST}")
    announced_ref = ObjectRef(artifact_bucket, f"{folder}/{ANNOUNCED}")
    if objects.exists(manifest_ref):
        manifest = BatchManifest.from_json(objects.read(manifest_ref))
        if not objects.exists(announced_ref):
            _notify_stored(manifest, objects, notify)
            _mark(objects, announced_ref, now)
        return manifest.summary
    with tempfile.TemporaryDirectory() as scratch:
        result, output = _score(request, objects, models, Path(scratch), now)
        summary = _summarise(request, result, artifact_bucket, folder)
        manifest = _store(request, summary, output, objects, artifact_bucket, folder, now)
    objects.write(manifest_ref, manifest.to_json().encode(), "application/json")
    notify(summary, result.data_quality, result.drift_report)
    _mark(objects, announced_ref, now)
    return summary


def _score(
    request: ScoringRequest, objects: ObjectStore, models: ModelCache, scratch: Path, now: datetime
) -> tuple[InferenceResult, Path]:
    pipeline = models.pipeline(request.model, objects)
    source = scratch / ("input.csv.gz" if request.upload.filename.lower().endswith(".gz") else "input.csv")
    objects.download(request.upload.ref, source)
    output = scratch / "output"
    return pipeline.execute(source, output, now=now, model_group=request.group), output


def _summarise(request: ScoringRequest, result: InferenceResult, bucket: str, folder: str) -> BatchSummary:
    drift = result.drift_report
    return BatchSummary(
        group=request.group,
        batch_id=request.batch_id,
        n_rows=result.n_rows,
        predictions_uri=f"s3://{bucket}/{folder}/{PREDICTIONS}",
        report_uri=f"s3://{bucket}/{folder}/{DRIFT_PAGE}" if drift else None,
        drift_verdict=drift.verdict if drift else None,
        drift_score=drift.drift_score if drift else None,
        features_with_drift=drift.features_with_drift if drift else (),
    )


def _store(
    request: ScoringRequest,
    summary: BatchSummary,
    output: Path,
    objects: ObjectStore,
    bucket: str,
    folder: str,
    now: datetime,
) -> BatchManifest:
    """Upload the files and the profile; return the manifest that is still to be written."""
    files = {}
    for name, content_type in CONTENT_TYPES.items():
        path = output / name
        if path.is_file():
            stored = objects.upload(path, ObjectRef(bucket, f"{folder}/{name}"), content_type)
            files[name] = BatchFile(sha256_of(path), stored.version_id)
    if (output / BATCH_PROFILE).is_file():
        key = f"profiles/{request.group}/{request.model.version}/{now:%Y-%m-%d}/{request.batch_id}.json"
        objects.upload(output / BATCH_PROFILE, ObjectRef(bucket, key), CONTENT_TYPES[BATCH_PROFILE])
    return BatchManifest(
        summary=summary,
        model_version=request.model.version,
        model_sha256=request.model.artifact.sha256,
        source=request.upload.ref,
        created_at=now,
        files=files,
    )


def _notify_stored(manifest: BatchManifest, objects: ObjectStore, notify: Notifier) -> None:
    """Announce a batch whose scoring was done by a run that did not get to it."""
    from mlops.pipelines.inference_pipeline import DATA_QUALITY, DRIFT_REPORT  # noqa: PLC0415

    predictions = ObjectRef.from_uri(manifest.summary.predictions_uri)
    folder = predictions.key.removesuffix(PREDICTIONS)

    def read(name: str) -> bytes:
        return objects.read(ObjectRef(predictions.bucket, f"{folder}{name}", manifest.files[name].version_id))

    drift = DriftReport.from_json(read(DRIFT_REPORT)) if DRIFT_REPORT in manifest.files else None
    notify(manifest.summary, DataQuality.from_json(read(DATA_QUALITY)), drift)


def _mark(objects: ObjectStore, ref: ObjectRef, now: datetime) -> None:
    document: dict[str, Any] = {"announced_at": now.isoformat()}
    objects.write(ref, json.dumps(document).encode(), "application/json")
