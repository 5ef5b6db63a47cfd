"""A batch as it was delivered: its manifest, and its predictions in the version that the manifest names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import LedgerError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import MANIFEST, BatchManifest, BatchSummary
from mlops.pipelines.artifacts.archive import sha256_of


@dataclass(frozen=True, slots=True)
class DeliveredBatch:
    """What an event announced, and the manifest of it."""

    summary: BatchSummary
    manifest: BatchManifest

    def beside(self, name: str) -> ObjectRef:
        """Return another object of the folder of the batch."""
        return _beside(self.summary, name)

    def fetch_predictions(self, folder: Path, objects: ObjectStore) -> Path:
        """Copy the predictions into a folder.

        Raises
        ------
        LedgerError
            If they are not the file of the manifest.
        """
        name = self.summary.predictions_name
        stored, path = self.manifest.files[name], folder / name
        delivered = ObjectRef.from_uri(self.summary.predictions_uri)
        objects.download(ObjectRef(delivered.bucket, delivered.key, stored.version_id), path)
        if sha256_of(path) != stored.sha256:
            raise LedgerError(f"{delivered.uri} is not the file that the manifest of its batch names.")
        return path


def read_batch(summary: BatchSummary, objects: ObjectStore) -> DeliveredBatch:
    """Read the manifest of a batch that an event announced.

    Raises
    ------
    ObjectNotFoundError
        If the batch was deleted.
    """
    manifest = BatchManifest.from_json(objects.read(_beside(summary, MANIFEST)))
    return DeliveredBatch(summary, manifest)


def _beside(summary: BatchSummary, name: str) -> ObjectRef:
    delivered = ObjectRef.from_uri(summary.predictions_uri)
    return ObjectRef(delivered.bucket, f"{summary.folder}/{name}")
