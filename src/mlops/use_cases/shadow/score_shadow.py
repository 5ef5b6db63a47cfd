"""Scoring of a delivered batch with the candidate that waits for approval, for its approvers only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.files import LedgerFiles, Partition
from mlops.ledger.shadow.archive import ShadowArchive
from mlops.ledger.shadow.rows import shadow_key, write_shadow_rows
from mlops.models.errors import ArtifactError, DatasetError, LedgerError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata, waiting_candidate
from mlops.models.scoring.batch import MANIFEST, BatchManifest, BatchSummary
from mlops.models.scoring.shadow import ShadowAgreement, ShadowBatch
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.use_cases.model_cache import ModelCache, ScoringModel
from mlops.use_cases.score_batch import ScoringRequest, local_name
from mlops.use_cases.shadow.compare import ScoredFile, compare

_MAX_REASON = 300  # characters of a reason on the page


class Versions(Protocol):
    """The part of the registry that shadow scoring needs."""

    def list_models(self, group: str) -> list[ModelMetadata]:
        """Return all versions of a group by rising number."""


@dataclass(frozen=True, slots=True)
class ShadowScoring:
    """What scores batches in shadow; files of more than `max_bytes` are left out."""

    versions: Versions
    objects: ObjectStore
    models: ModelCache
    archive: ShadowArchive
    rows: LedgerFiles
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A batch as it was delivered."""

    summary: BatchSummary
    manifest: BatchManifest
    request: ScoringRequest

    @property
    def partition(self) -> Partition:
        """Where its rows are in the ledger."""
        return Partition(self.summary.group, self.manifest.created_at.astimezone(UTC).date())


def score_shadow(summary: BatchSummary, scoring: ShadowScoring) -> ShadowBatch | None:
    """Score the rows of a delivered batch with the waiting candidate; once for each batch and candidate.

    The shadow predictions are stored first, then the agreement: a run that stops in between is repeated, and
    stores the same bytes. What the champion predicted is not changed, whatever happens here.

    Returns
    -------
    ShadowBatch | None
        None without a candidate, for a batch of requests or of a release before 0.3, and when
        `[scoring] shadow` is off.

    Raises
    ------
    LedgerError
        If a file is not the one of the manifest.
    ObjectNotFoundError
        If the batch was deleted.
    """
    candidate = waiting_candidate(scoring.versions.list_models(summary.group))
    delivered = _read_batch(summary, scoring.objects) if candidate else None
    if candidate is None or delivered is None or not delivered.request.settings.scoring.shadow:
        return None
    stored = scoring.archive.find(summary.group, candidate.version, summary.batch_id)
    if stored is not None:
        return stored
    batch = ShadowBatch(
        group=summary.group,
        batch_id=summary.batch_id,
        champion_version=delivered.manifest.model_version,
        version=candidate.version,
        agreement=_agreement(candidate, delivered, scoring),
    )
    scoring.archive.write(batch)
    return batch


def _agreement(candidate: ModelMetadata, delivered: _Delivered, scoring: ShadowScoring) -> ShadowAgreement:
    """Score and compare; what cannot be scored is an answer, too."""
    size_bytes = scoring.objects.head(delivered.request.source).size_bytes
    if size_bytes > scoring.max_bytes:
        return _skipped(f"larger than {scoring.max_bytes:,} bytes")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        champion = _fetch_predictions(delivered, root, scoring.objects)
        try:
            scored = _score(candidate, delivered, root, scoring)
        except (DatasetError, ArtifactError) as error:
            return _skipped(" ".join(str(error).split())[:_MAX_REASON])
        rows = root / "rows.csv.gz"
        write_shadow_rows(rows, delivered.summary.batch_id, candidate.version, scored.predictions())
        scoring.rows.store(rows, shadow_key(delivered.partition, delivered.summary.batch_id))
        return compare(champion, scored, candidate.settings.slices.columns)


def _score(candidate: ModelMetadata, delivered: _Delivered, root: Path, scoring: ShadowScoring) -> ScoredFile:
    request = delivered.request
    source = root / local_name(request)
    scoring.objects.download(request.source, source)
    if delivered.manifest.source_sha256 not in (None, sha256_of(source)):
        raise LedgerError(f"{request.source.uri} is not what the champion has scored.")
    model = ScoringModel(candidate.version, candidate.artifact)
    result = scoring.models.pipeline(model, scoring.objects).execute(
        source,
        root / "shadow",
        model_group=request.group,
        settings=_settings(request.settings, candidate.settings.slices.columns),
        now=delivered.manifest.created_at,
    )
    return ScoredFile(result.predictions_path, result.columns)


def _settings(settings: GroupSettings, columns: tuple[str, ...]) -> GroupSettings:
    """Return how a file is scored in shadow: as it was, with nothing beside the predictions but `columns`."""
    output = OutputSettings(escape_formulas=settings.output.escape_formulas, keep_columns=columns)
    return replace(settings, output=output, scoring=replace(settings.scoring, max_bad_share=1.0))


def _read_batch(summary: BatchSummary, objects: ObjectStore) -> _Delivered | None:
    """Return a batch; None when it has no request or no columns, as those of releases before 0.3."""
    delivered = ObjectRef.from_uri(summary.predictions_uri)
    folder = delivered.key.rpartition("/")[0]
    manifest = BatchManifest.from_json(objects.read(ObjectRef(delivered.bucket, f"{folder}/{MANIFEST}")))
    try:
        request = objects.read(ObjectRef(delivered.bucket, f"{folder}/request.json"))
    except ObjectNotFoundError:
        return None
    return _Delivered(summary, manifest, ScoringRequest.from_json(request)) if manifest.columns else None


def _fetch_predictions(delivered: _Delivered, root: Path, objects: ObjectStore) -> ScoredFile:
    """Download what the champion predicted, in the version that the manifest names."""
    summary, manifest = delivered.summary, delivered.manifest
    path, file = root / summary.predictions_name, manifest.files[summary.predictions_name]
    objects.download(replace(ObjectRef.from_uri(summary.predictions_uri), version_id=file.version_id), path)
    if sha256_of(path) != file.sha256 or manifest.columns is None:
        raise LedgerError(f"{summary.predictions_uri} is not the file that the manifest of its batch names.")
    return ScoredFile(path, manifest.columns)


def _skipped(reason: str) -> ShadowAgreement:
    return ShadowAgreement(skipped={reason: 1})
