"""Scoring of one uploaded file with the champion, exactly once, from object storage to object storage."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.drift.report import DriftReport
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.scoring.batch import MANIFEST, BatchFile, BatchManifest, BatchSummary
from mlops.models.scoring.batch_files import (
    BATCH_PROFILE,
    CONTENT_TYPES,
    DATA_QUALITY,
    DRIFT_PAGE,
    DRIFT_REPORT,
)
from mlops.models.scoring.batch_folder import folder_without_name
from mlops.models.scoring.result import DataQuality, InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import ScoringEngine
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.use_cases.model_cache import ModelCache, ScoringModel
from mlops.use_cases.scoring_cost import CostMeter

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

    @property
    def source(self) -> ObjectRef:
        """Where the rows are stored."""
        return self.content or self.upload.ref


class Notifier(Protocol):
    """Notifies people and systems of predictions; may be called twice for a batch, after a crash."""

    def __call__(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        """Publish the metrics and the event, and send the email."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch and where its results belong: the files first, the manifest last, then the notification."""

    request: ScoringRequest
    objects: ObjectStore
    bucket: str
    notify: Notifier
    now: datetime

    def ref(self, name: str, version_id: str | None = None) -> ObjectRef:
        """Return the address of a file of the batch."""
        request = self.request
        folder = request.folder or folder_without_name(request.group, request.batch_id)
        return ObjectRef(self.bucket, f"{folder}/{name}", version_id)

    @property
    def is_complete(self) -> bool:
        """Whether all results are stored."""
        return self.objects.exists(self.ref(MANIFEST))

    def repeat(self) -> BatchSummary:
        """Return the summary of a complete batch; send its notification if an interrupted run did not."""
        manifest = BatchManifest.from_json(self.objects.read(self.ref(MANIFEST)))
        if not self.objects.exists(self.ref(ANNOUNCED)):

            def read(name: str) -> bytes:
                return self.objects.read(self.ref(name, manifest.files[name].version_id))

            drift = DriftReport.from_json(read(DRIFT_REPORT)) if DRIFT_REPORT in manifest.files else None
            self._announce(manifest.summary, DataQuality.from_json(read(DATA_QUALITY)), drift)
        return manifest.summary

    def finish(
        self,
        result: InferenceResult,
        output: Path,
        *,
        source_sha256: str,
        engine: ScoringEngine,
        cost: Callable[[], float | None],
    ) -> BatchSummary:
        """Store what was written to `output`, and notify people and systems.

        The profile for the nightly check follows the files, then the manifest. The notification is sent after
        that, and recorded, so a crash in between repeats it rather than losing it. `cost` is read after the
        files were stored.
        """
        request = self.request
        files = self._store_files(output)
        self._store_profile(output / BATCH_PROFILE)
        summary = self._summarize(result, cost())
        manifest = BatchManifest(
            summary=summary,
            model_version=request.model.version,
            model_sha256=request.model.artifact.sha256,
            source=request.upload.ref,
            created_at=self.now,
            files=files,
            columns=result.columns,
            source_sha256=source_sha256,
            engine=engine,
        )
        self.objects.write(self.ref(MANIFEST), manifest.to_json().encode(), "application/json")
        self._announce(summary, result.data_quality, result.drift_report)
        return summary

    def _summarize(self, result: InferenceResult, cost_usd: float | None) -> BatchSummary:
        request, drift = self.request, result.drift_report
        return BatchSummary(
            group=request.group,
            batch_id=request.batch_id,
            n_rows=result.n_rows,
            predictions_uri=self.ref(result.predictions_path.name).uri,
            report_uri=self.ref(DRIFT_PAGE).uri if drift else None,
            drift_verdict=drift.verdict if drift else None,
            drift_score=drift.drift_score if drift else None,
            features_with_drift=drift.features_with_drift if drift else (),
            file_name=request.upload.filename,
            model_version=request.model.version,
            manifest_uri=self.ref(MANIFEST).uri,
            row_statuses=result.data_quality.row_statuses,
            cost_usd=cost_usd,
        )

    def _store_files(self, output: Path) -> dict[str, BatchFile]:
        files = {}
        for name, content_type in CONTENT_TYPES.items():
            path = output / name
            if path.is_file():
                stored = self.objects.upload(path, self.ref(name), content_type)
                files[name] = BatchFile(sha256_of(path), stored.version_id)
        return files

    def _store_profile(self, path: Path) -> None:
        request = self.request
        folder = f"profiles/{request.group}/{request.model.version}/{self.now:%Y-%m-%d}"
        if path.is_file():
            key = f"{folder}/{request.batch_id}.json"
            self.objects.upload(path, ObjectRef(self.bucket, key), CONTENT_TYPES[BATCH_PROFILE])

    def _announce(self, summary: BatchSummary, quality: DataQuality, drift: DriftReport | None) -> None:
        self.notify(summary, quality, drift)
        document = json.dumps({"announced_at": self.now.isoformat()})
        self.objects.write(self.ref(ANNOUNCED), document.encode(), "application/json")


def score_batch(
    request: ScoringRequest,
    objects: ObjectStore,
    *,
    artifact_bucket: str,
    models: ModelCache,
    notify: Notifier,
    now: datetime,
    engine: ScoringEngine = "lambda",
    meter: CostMeter | None = None,
) -> BatchSummary:
    """Score the uploaded file and store the results; a batch that is complete is not scored again.

    Parameters
    ----------
    meter
        What measures the cost; None where no price is known.

    Raises
    ------
    DatasetError
        If the file cannot be scored.
    ArtifactError
        If the model is not the registered one or cannot be loaded.
    """
    batch = Batch(request, objects, artifact_bucket, notify, now)
    if batch.is_complete:
        return batch.repeat()
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch) / local_name(request), Path(scratch) / "output"
        pipeline = models.pipeline(request.model, objects)
        objects.download(request.source, source)
        group, settings = request.group, request.settings
        result = pipeline.execute(source, output, now=now, model_group=group, settings=settings)
        cost = (meter or CostMeter()).read
        return batch.finish(result, output, source_sha256=sha256_of(source), engine=engine, cost=cost)


def local_name(request: ScoringRequest) -> str:
    """Return a name for the downloaded file: of a name that a person has chosen, only the suffix counts."""
    if request.content is not None:
        return request.content.key.rsplit("/", 1)[-1]  # it says how the table is written
    return "input.csv.gz" if request.upload.filename.lower().endswith(".gz") else "input.csv"
