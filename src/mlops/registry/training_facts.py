"""The fields of a candidate that a training result contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops.models.training import TrainingResult

TRAINING_RESULT_FILENAME = "training_result.json"


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
    """Return `training_facts` of a local model directory; nothing when it holds no training result."""
    document = Path(path) / TRAINING_RESULT_FILENAME
    if path.startswith("s3://") or not document.is_file():
        return {}
    return training_facts(TrainingResult.from_json(document.read_bytes()))
