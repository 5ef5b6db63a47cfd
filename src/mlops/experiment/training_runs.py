"""A finished or failed training as a run: recorded once, however often it is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlops.experiment import changes
from mlops.experiment.files import RunFiles
from mlops.experiment.history import write_points
from mlops.experiment.names import require_group, require_run_id
from mlops.experiment.origins import library_digest
from mlops.experiment.store import RunStore
from mlops.experiment.values import flatten, metric_value
from mlops.models.errors import ExperimentError
from mlops.models.experiment import MetricPoint, Run, RunArtifact, RunDataset, RunFailure, RunStatus
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata, TrainingJob
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics, TrainingResult

EVALUATION_PATH = "evaluation.json"


@dataclass(frozen=True, slots=True)
class _Training:
    """A run that has ended, with the scores and the document that are kept beside it."""

    run: Run
    scores: Mapping[str, float]
    evaluation: Mapping[str, Any]


def record_training(
    store: RunStore,
    trained: ModelMetadata | TrainingResult,
    *,
    group: str | None = None,
    job_name: str | None = None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    code_digest: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Run:
    """Record a training that ended well, also one whose model the gate rejected, and return its run.

    The id of the run is the name of the job: recording the same job again changes nothing and returns what
    was recorded first. Scores become metrics, settings and hyperparameters params. The artifact
    `evaluation.json` holds all of the evaluation, and the hyperparameters that are too long for a param.

    Parameters
    ----------
    trained
        A registered version, or a training result, which needs `group`, `job_name`, `started_at` and
        `ended_at`. A version that no job trained may have these three: by default its run is named after it.
    code_digest
        The digest of the code, unless `trained` has one; for a training result, default is this library.
    tags
        In addition to `model_version`, `champion_version`, `primary_metric`, `gate` and `gate_reasons`.

    Raises
    ------
    ExperimentError
        If a training result has no group, job or times.
    """
    if isinstance(trained, ModelMetadata):
        training = _of_model(trained, job_name, started_at, ended_at)
    elif group is None or job_name is None or started_at is None or ended_at is None:
        raise ExperimentError("A training result needs its group, job_name, started_at and ended_at.")
    else:
        training = _of_result(trained, group, job_name, started_at, ended_at)
    run = replace(training.run, code_digest=code_digest or training.run.code_digest)
    return _keep(store, replace(training, run=changes.with_tags(run, tags or {})))


def record_failed_training(
    store: RunStore,
    *,
    group: str,
    job: TrainingJob,
    failure: RunFailure,
    at: datetime,
    settings: GroupSettings | None = None,
    dataset: RunDataset | None = None,
    code_digest: str | None = None,
) -> Run:
    """Record a training job that failed, once per job name, and return its run.

    `at` is when that was noticed; it replaces the times that the job does not have because it never ran.
    A job without an ARN is a training on plain files.
    """
    run = Run(
        run_id=require_run_id(job.name),
        group=require_group(group),
        name=job.name,
        status=RunStatus.FAILED,
        started_at=job.started_at or at,
        ended_at=job.ended_at or at,
        origin="sagemaker" if job.arn else "local",
        params=_setting_params(settings) if settings else {},
        dataset=dataset,
        code_digest=code_digest,
        failure=failure,
    )
    return store.add(run)


def _of_model(
    model: ModelMetadata, name: str | None, started_at: datetime | None, ended_at: datetime | None
) -> _Training:
    job = model.training_job
    name = job.name if job else name or model.version
    started_at, ended_at = (job.started_at, job.ended_at) if job else (started_at, ended_at)
    run = Run(
        run_id=require_run_id(name),
        group=require_group(model.model_group),
        name=name,
        status=RunStatus.FINISHED,
        started_at=started_at or model.created_at,
        ended_at=ended_at or model.created_at,
        origin="sagemaker" if job else "local",
        params=_params(model),
        tags={**model.tags, **_model_tags(model)},
        dataset=RunDataset(model.dataset_version, model.dataset_version),
        code_digest=model.source.digest,
        artifacts=(RunArtifact("model", model.artifact.uri, None, model.artifact.sha256),),
    )
    return _Training(run, _scores(model.metrics, job.billable_seconds if job else None), _evaluation(model))


def _of_result(
    result: TrainingResult, group: str, job_name: str, started_at: datetime, ended_at: datetime
) -> _Training:
    sizes = {"n_rows_train": result.n_rows_train, "n_rows_test": result.n_rows_test}
    champion = result.comparison.champion_version if result.comparison else None
    tags = {"champion_version": champion} if champion else {}
    run = Run(
        run_id=require_run_id(job_name),
        group=require_group(group),
        name=job_name,
        status=RunStatus.FINISHED,
        started_at=started_at,
        ended_at=ended_at,
        params=_params(result) | sizes,
        tags=tags | _primary(result.metrics),
        dataset=RunDataset(result.dataset_digest, result.dataset_digest),
        code_digest=library_digest(),
        artifacts=(RunArtifact("model", str(result.model_path.resolve())),),
    )
    return _Training(run, _scores(result.metrics, None), _evaluation(result))


def _keep(store: RunStore, training: _Training) -> Run:
    """Write the files first and the record last: a run that is listed is complete."""
    run, files = training.run, store.files(training.run.group, training.run.run_id)
    stored = store.find(run.group, run.run_id)
    if stored is not None:
        return stored
    at = run.ended_at or run.started_at
    points = [MetricPoint(name, metric_value(name, value), 0, at) for name, value in training.scores.items()]
    write_points(files, points, new_name=lambda: "training")
    evaluation = _write_evaluation(files, training.evaluation)
    newest = {point.name: point for point in points}
    return store.add(replace(run, newest=newest, artifacts=(*run.artifacts, evaluation)))


def _write_evaluation(files: RunFiles, evaluation: Mapping[str, Any]) -> RunArtifact:
    content = (json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    uri = files.write(f"artifacts/{EVALUATION_PATH}", content)
    return RunArtifact(EVALUATION_PATH, uri, len(content), hashlib.sha256(content).hexdigest())


def _scores(metrics: EvaluationMetrics, billable_seconds: int | None) -> dict[str, float]:
    cost = {} if billable_seconds is None else {"billable_seconds": float(billable_seconds)}
    return metrics.values() | cost


def _params(trained: ModelMetadata | TrainingResult) -> dict[str, Any]:
    """Return the settings as they were resolved: the values of the training replace those of the settings."""
    resolved = {"algorithm": trained.algorithm, "target": trained.target, "task": trained.task}
    params = _setting_params(trained.settings) | resolved | {"n_features": len(trained.features)}
    return params | _showable(trained.hyperparameters)


def _showable(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be a param: a long value or an invalid name must not fail a training at its end."""
    params: dict[str, Any] = {}
    for name, value in hyperparameters.items():
        with suppress(ExperimentError):
            params |= dict(flatten({name: value}))
    return params


def _setting_params(settings: GroupSettings) -> dict[str, Any]:
    document = settings.to_dict()
    names = ("algorithm", "target", "task", "seed", "test_fraction", "time_column")
    params = {name: document[name] for name in names if document[name] is not None}
    return params | _showable(settings.hyperparameters)


def _model_tags(model: ModelMetadata) -> dict[str, str]:
    tags = {"model_version": model.version, **_primary(model.metrics)}
    if model.gate is not None:
        tags["gate"] = "passed" if model.gate.passed else "rejected"
        tags |= {"gate_reasons": "; ".join(model.gate.reasons)} if model.gate.reasons else {}
    if model.comparison is not None and model.comparison.champion_version:
        tags["champion_version"] = model.comparison.champion_version
    return tags


def _primary(metrics: EvaluationMetrics) -> dict[str, str]:
    return {"primary_metric": metrics.primary} if metrics.primary else {}


def _evaluation(trained: ModelMetadata | TrainingResult) -> dict[str, Any]:
    """Return what is too much for a table of runs, as a JSON document."""
    gate = trained.gate if isinstance(trained, ModelMetadata) else None
    parts: dict[str, Record | None] = {
        "metrics": trained.metrics,
        "comparison": trained.comparison,
        "gate": gate,
    }
    document: dict[str, Any] = {name: part.to_dict() for name, part in parts.items() if part is not None}
    document["hyperparameters"] = dict(trained.hyperparameters)
    document["feature_importance"] = dict(trained.feature_importance)
    document["library_versions"] = dict(trained.library_versions)
    document["warnings"] = list(trained.warnings)
    return document
