"""Models for scoring: downloaded once, checked against their registered digest, and kept loaded."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.registry import Artifact
from mlops.pipelines.artifacts.archive import sha256_of, unpack
from mlops.pipelines.inference_pipeline import InferencePipeline


@dataclass(frozen=True, slots=True)
class ScoringModel(Record):
    """The version to score with, and the address of the code that trained it."""

    version: str
    artifact: Artifact
    source_uri: str | None = None


class ModelCache:
    """Downloaded models by digest: on disk, and the last one in memory.

    Parameters
    ----------
    directory
        Where models are unpacked; it is kept between the invocations of a worker.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: tuple[tuple[str, str], InferencePipeline] | None = None

    def pipeline(self, model: ScoringModel, objects: ObjectStore) -> InferencePipeline:
        """Return the pipeline of a model; download it when it is not in the cache.

        Raises
        ------
        ArtifactError
            If the archive is not the one that was registered, or cannot be loaded.
        """
        key = (model.artifact.sha256, model.version)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # free the memory of the old model before the new one is loaded
            path = self._fetch(model.artifact, objects)
            self._loaded = (key, InferencePipeline(path, model_version=model.version))
        return self._loaded[1]

    def _fetch(self, artifact: Artifact, objects: ObjectStore) -> Path:
        """Download that version, check its digest, unpack it, and rename it last."""
        path = self._directory / artifact.sha256
        if path.is_dir():
            return path
        shutil.rmtree(
            self._directory, ignore_errors=True
        )  # /tmp of a Lambda has space for one model, not for ten
        self._directory.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            archive, unpacked = Path(scratch) / "model.tar.gz", Path(scratch) / "model"
            objects.download(ObjectRef.from_uri(artifact.uri, artifact.version_id), archive)
            if sha256_of(archive) != artifact.sha256:
                raise ArtifactError(f"{artifact.uri} is not the registered model: its digest differs.")
            unpack(archive, unpacked)
            unpacked.rename(path)
        return path
