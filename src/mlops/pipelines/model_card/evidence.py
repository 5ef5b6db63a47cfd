"""The documents that lie beside a model: scores, baseline, result, model card, and their manifest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mlops.models.evaluation import EvaluationDetails
from mlops.models.training import TrainingResult
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.model_card.card import render_card


def write_evidence(
    result: TrainingResult,
    details: EvaluationDetails,
    directory: Path,
    group: str | None,
    created_at: datetime,
) -> None:
    """Write the documents beside the model files, the manifest last."""
    documents = {
        artifacts.METRICS: result.metrics,
        artifacts.BASELINE: result.baseline,
        artifacts.DETAILS: details,
        artifacts.RESULT: replace(result, model_path=Path(), baseline_path=Path(artifacts.BASELINE)),
    }
    for name, document in documents.items():
        (directory / name).write_text(document.to_json(), encoding="utf-8")
    page = render_card(result, details, group=group, created_at=created_at)
    (directory / artifacts.CARD).write_text(page, encoding="utf-8")
    manifest = artifacts.Manifest(
        files={},
        library_versions=result.library_versions,
        algorithm=result.algorithm,
        task=result.task,
        target=result.target,
        features=result.features,
        created_at=created_at,
        dataset_digest=result.dataset_digest,
        settings=result.settings,
        model_group=group,
    )
    artifacts.write_manifest(manifest, directory)
