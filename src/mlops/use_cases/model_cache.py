"""Models for scoring: downloaded once, checked against their registered digest, and kept loaded."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.record import Record
from mlops.pipelines.artifacts.archive import sha256_of, unpack
from mlops.pipelines.described_model import DescribedModel
from mlops.pipelines.inference_pipeline import InferencePipeline


@dataclass(frozen=True, slots=True)
class ScoringModel(Record):
    """The version to score with, and the address of the code that trained it.

    `is_compiled` selects the function that scores (see `Candidate`); requests of releases before 0.3 lack it.
    """

    version: str
    artifact: Artifact
    source_uri: str | None = None
    is_compiled: bool = False


class ModelCache:
    """Models that were used last: downloaded and loaded once, by digest and version.

    Parameters
    ----------
    directory
        Where models are unpacked; it is kept between the invocations of a worker.
    capacity
        How many models are kept; the one that was not used for longest is given up for a new one.
    """

    def __init__(self, directory: Path, capacity: int = 1) -> None:
        self._directory = directory
        self._capacity = capacity
        self._loaded: dict[tuple[str, str], InferencePipeline] = {}  # the one that was used last is the last

    def pipeline(self, model: ScoringModel, objects: ObjectStore) -> InferencePipeline:
        """Return the pipeline of a model; download it when it is not in the cache.

        Raises
        ------
        ArtifactError
            If the archive is not the one that was registered, or cannot be loaded.
        """
        key = (model.artifact.sha256, model.version)
        if key not in self._loaded:
            while len(self._loaded) >= self._capacity:  # free the memory before the new one is loaded
                del self._loaded[next(iter(self._loaded))]
            path = self._fetch(model.artifact, objects)
            self._loaded[key] = InferencePipeline(path, model_version=model.version)
        self._loaded[key] = self._loaded.pop(key)
        return self._loaded[key]

    def description(self, model: ScoringModel, objects: ObjectStore) -> DescribedModel:
        """Return what the directory of a model says of it, without loading the model; it is not kept.

        Raises
        ------
        ArtifactError
            If the archive is not the one that was registered.
        """
        return DescribedModel.read(self._fetch(model.artifact, objects), version=model.version)

    def _fetch(self, artifact: Artifact, objects: ObjectStore) -> Path:
        """Download that version, check its digest, unpack it, and rename it last."""
        path = self._directory / artifact.sha256
        if path.is_dir():
            return path
        self._remove_unused()
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            archive, unpacked = Path(scratch) / "model.tar.gz", Path(scratch) / "model"
            objects.download(ObjectRef.from_uri(artifact.uri, artifact.version_id), archive)
            if sha256_of(archive) != artifact.sha256:
                raise ArtifactError(f"{artifact.uri} is not the registered model: its digest differs.")
            unpack(archive, unpacked)
            unpacked.rename(path)
        return path

    def _remove_unused(self) -> None:
        """Remove the files of models that are not loaded: /tmp of a Lambda has space for few."""
        used = {digest for digest, _ in self._loaded}
        for path in self._directory.glob("*"):
            if path.name not in used:
                shutil.rmtree(path, ignore_errors=True)
