"""The fields of a candidate that the documents of a training contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mlops.models.record import Record
from mlops.models.training import TrainingResult
from mlops.pipelines.artifact_files import COMPILED, MANIFEST, TRAINING_RESULT


@dataclass(frozen=True, slots=True)
class ModelFiles(Record):
    """The files that the manifest of a model names, with their digests."""

    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Read the manifest of a model directory; none names no files."""
        manifest = directory / MANIFEST
        return cls.from_json(manifest.read_bytes()) if manifest.is_file() else cls()

    @property
    def is_compiled(self) -> bool:
        """Whether the model has a compiled form, which scores without scikit-learn."""
        return COMPILED in self.files


def training_facts(result: TrainingResult) -> dict[str, Any]:
    """Return the fields of a candidate that a training result contains."""
    return {
        "features": result.features,
        "target": result.target,
        "task": result.task,
        "settings": result.settings,
        "library_versions": result.library_versions,
        "comparison": result.comparison,
        "feature_importance": result.feature_importance,
        "warnings": result.warnings,
        "concerns": result.concerns,
    }


def local_training_facts(path: str) -> dict[str, Any]:
    """Return the fields that a local model directory contains; nothing when it has no training result."""
    document = Path(path) / TRAINING_RESULT
    if path.startswith("s3://") or not document.is_file():
        return {}
    result = TrainingResult.from_json(document.read_bytes())
    return {**training_facts(result), "is_compiled": ModelFiles.of(document.parent).is_compiled}
