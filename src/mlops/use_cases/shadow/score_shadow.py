"""Scoring of a delivered batch with the candidate that waits for approval, for its approvers only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.files import LedgerFiles, Partition
from mlops.ledger.shadow.archive import ShadowArchive
from mlops.ledger.shadow.rows import shadow_key, write_shadow_rows
from mlops.models.errors import ArtifactError, DatasetError, LedgerError, ObjectNotFoundError
from mlops.models.registered import RegisteredModels, waiting_candidate
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.batch import REQUEST, BatchSummary
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.shadow import ShadowAgreement, ShadowBatch
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.use_cases.delivered_batch import DeliveredBatch, read_batch
from mlops.use_cases.model_cache import ModelCache, ScoringModel
from mlops.use_cases.score_batch import ScoringRequest, local_name
from mlops.use_cases.shadow.compare import ScoredFile, compare

_MAX_REASON = 300  # characters of a reason on the page


@dataclass(frozen=True, slots=True)
class ShadowScoring:
    """What scores batches in shadow; files of more than `max_bytes` are left out."""

    versions: RegisteredModels
    objects: ObjectStore
    models: ModelCache
    archive: ShadowArchive
    rows: LedgerFiles
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Scored:
    """A batch that the champion has scored: as it was delivered, its columns, and what was to be scored."""

    delivered: DeliveredBatch
    columns: PredictionColumns
    request: ScoringRequest


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
    candidate = waiting_candidate(scoring.versions, summary.group)
    batch = _read_scored(summary, scoring.objects) if candidate else None
    if candidate is None or batch is None or not batch.request.settings.scoring.shadow:
        return None
    stored = scoring.archive.find(summary.group, candidate.version, summary.batch_id)
    if stored is not None:
        return stored
    compared = ShadowBatch(
        group=summary.group,
        batch_id=summary.batch_id,
        champion_version=batch.delivered.manifest.model_version,
        version=candidate.version,
        agreement=_agreement(candidate, batch, scoring),
    )
    scoring.archive.write(compared)
    return compared


def _agreement(candidate: ModelMetadata, batch: _Scored, scoring: ShadowScoring) -> ShadowAgreement:
    """Score and compare; what cannot be scored is an answer, too."""
    size_bytes = scoring.objects.head(batch.request.source).size_bytes
    if size_bytes > scoring.max_bytes:
        return _skipped(f"larger than {scoring.max_bytes:,} bytes")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        champion = ScoredFile(batch.delivered.fetch_predictions(root, scoring.objects), batch.columns)
        try:
            scored = _score(candidate, batch, root, scoring)
        except (DatasetError, ArtifactError) as error:
            return _skipped(" ".join(str(error).split())[:_MAX_REASON])
        rows = root / "rows.csv.gz"
        summary, day = batch.delivered.summary, batch.delivered.manifest.created_at.astimezone(UTC).date()
        write_shadow_rows(rows, summary.batch_id, candidate.version, scored.predictions())
        scoring.rows.store(rows, shadow_key(Partition(summary.group, day), summary.batch_id))
        return compare(champion, scored, candidate.settings.slices.columns)


def _score(candidate: ModelMetadata, batch: _Scored, root: Path, scoring: ShadowScoring) -> ScoredFile:
    request, manifest = batch.request, batch.delivered.manifest
    source = root / local_name(request)
    scoring.objects.download(request.source, source)
    if manifest.source_sha256 not in (None, sha256_of(source)):
        raise LedgerError(f"{request.source.uri} is not what the champion has scored.")
    model = ScoringModel(candidate.version, candidate.artifact)
    result = scoring.models.pipeline(model, scoring.objects).execute(
        source,
        root / "shadow",
        model_group=request.group,
        settings=_settings(request.settings, candidate.settings.slices.columns),
        now=manifest.created_at,
    )
    return ScoredFile(result.predictions_path, result.columns)


def _settings(settings: GroupSettings, columns: tuple[str, ...]) -> GroupSettings:
    """Return how a file is scored in shadow: as it was, with nothing beside the predictions but `columns`."""
    output = OutputSettings(escape_formulas=settings.output.escape_formulas, keep_columns=columns)
    return replace(settings, output=output, scoring=replace(settings.scoring, max_bad_share=1.0))


def _read_scored(summary: BatchSummary, objects: ObjectStore) -> _Scored | None:
    """Return a batch; None when it has no request or no columns, as those of releases before 0.3."""
    delivered = read_batch(summary, objects)
    try:
        request = objects.read(delivered.beside(REQUEST))
    except ObjectNotFoundError:
        return None
    columns = delivered.manifest.columns
    return _Scored(delivered, columns, ScoringRequest.from_json(request)) if columns else None


def _skipped(reason: str) -> ShadowAgreement:
    return ShadowAgreement(skipped={reason: 1})
