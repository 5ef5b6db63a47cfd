"""A scored batch becomes rows of the ledger, after its predictions were delivered."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.batches import RecordedBatch, ScoredBatch
from mlops.ledger.recording import Ledger, record_batch
from mlops.models.scoring.batch import BatchSummary
from mlops.models.scoring.batch_files import open_predictions
from mlops.models.scoring.result import InferenceResult
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.use_cases.delivered_batch import read_batch


def record_predictions(summary: BatchSummary, objects: ObjectStore, ledger: Ledger) -> RecordedBatch:
    """Record the batch that an event announced, from its manifest and the version of its file named there.

    Raises
    ------
    LedgerError
        If the file is not the one of the manifest, or cannot be read as predictions.
    ObjectNotFoundError
        If the batch was deleted.
    """
    delivered = read_batch(summary, objects)
    manifest = delivered.manifest
    batch = ScoredBatch(
        group=summary.group,
        batch_id=summary.batch_id,
        file=manifest.source.key.removeprefix(f"{summary.group}/inference/"),
        model_version=manifest.model_version,
        scored_at=manifest.created_at,
        input_digest=manifest.source_sha256,
    )
    with TemporaryDirectory() as scratch:
        predictions = delivered.fetch_predictions(Path(scratch), objects)
        return record_batch(batch, predictions, manifest.columns, ledger)


def record_scoring(
    result: InferenceResult, source: Path, group: str, ledger: Ledger, now: datetime
) -> RecordedBatch:
    """Record what was scored on plain files; the same file with the same predictions is one batch.

    Parameters
    ----------
    source
        The file that was scored.
    """
    input_digest = sha256_of(source)
    with open_predictions(result.predictions_path) as predictions:  # the same with and without compression
        digests = f"{input_digest} {hashlib.file_digest(predictions, 'sha256').hexdigest()}"
    batch = ScoredBatch(
        group=group,
        batch_id=hashlib.sha256(digests.encode()).hexdigest()[:32],
        file=source.name,
        model_version=result.model_version,
        scored_at=now,
        input_digest=input_digest,
    )
    return record_batch(batch, result.predictions_path, result.columns, ledger)
