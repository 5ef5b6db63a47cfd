"""A trained model on its way into the registry: everything about a version but its name and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.models.group_settings import GroupSettings, TaskName
from mlops.models.record import Record
from mlops.models.registry import Artifact, DataFindings, ModelMetadata, Source, Status, TrainingJob
from mlops.models.training import ChampionComparison, EvaluationMetrics, GateResult, TrainingResult

TRAINING_RESULT_FILENAME = "training_result.json"


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """What is known of a trained model; the fields mean what they mean in `ModelMetadata`."""

    algorithm: str
    hyperparameters: Mapping[str, Any]
    metrics: EvaluationMetrics
    dataset_version: str
    artifact: Artifact
    features: tuple[str, ...] = ()
    target: str | None = None
    task: TaskName | None = None
    settings: GroupSettings = field(default_factory=GroupSettings)
    library_versions: Mapping[str, str] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    training_job: TrainingJob | None = None
    gate: GateResult | None = None
    comparison: ChampionComparison | None = None
    feature_importance: Mapping[str, float] = field(default_factory=dict)
    data: DataFindings = field(default_factory=DataFindings)
    warnings: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""

    def as_version(
        self, group: str, version: str, number: int, *, status: Status, at: datetime, evidence_uri: str | None
    ) -> ModelMetadata:
        """Return the candidate as a version of the group."""
        described = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return ModelMetadata(
            model_group=group,
            version=version,
            number=number,
            status=status,
            created_at=at,
            evidence_uri=evidence_uri,
            **described,
        )


def training_facts(result: TrainingResult) -> dict[str, Any]:
    """Return the fields of a candidate that a training result answers."""
    return {
        "features": result.features,
        "target": result.target,
        "task": result.task,
        "settings": result.settings,
        "library_versions": result.library_versions,
        "comparison": result.comparison,
        "feature_importance": result.feature_importance,
        "warnings": result.warnings,
    }


def local_training_facts(path: str) -> dict[str, Any]:
    """Return `training_facts` of a local model directory; nothing when it holds no training result."""
    document = Path(path) / TRAINING_RESULT_FILENAME
    if path.startswith("s3://") or not document.is_file():
        return {}
    return training_facts(TrainingResult.from_json(document.read_bytes()))
