"""From a finished training job to a registered version: evidence, digest, gate, one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError
from mlops.models.evaluation import EvaluationDetails
from mlops.models.metrics import describe_metric
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.registry import (
    Candidate,
    DataFindings,
    ModelMetadata,
    Registration,
    Source,
    TrainingJob,
)
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, TrainingResult
from mlops.pipelines.artifact_files import (
    EVALUATION_DETAILS,
    MANIFEST,
    MODEL_CARD,
    PLOTS_FOLDER,
    TRAINING_RESULT,
)
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.evaluation.looks import count_looks
from mlops.pipelines.evaluation.stored_score import not_compared
from mlops.pipelines.jobs.training_job import describe_job
from mlops.pipelines.model_card.card import render_card
from mlops.pipelines.model_card.figures import as_file, figures
from mlops.pipelines.model_card.record import CardRecord
from mlops.registry.artifacts import describe_object
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.training_facts import (
    ModelFiles,
    training_facts,
)
from mlops.use_cases.training_evidence import (
    keep_evidence,
    read_evidence,
)

MAX_IMPORTANCES = 1_000
MAX_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class FinishedTraining:
    """A training job that completed, and what it was started with.

    `dropped_file` is the object that was uploaded; the dataset is a copy of it.
    """

    group: str
    dataset_id: str
    settings: GroupSettings
    job: TrainingJob
    model: ObjectRef
    source: Source = field(default_factory=Source)
    data: DataFindings = field(default_factory=DataFindings)
    dropped_file: str | None = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> FinishedTraining:
        """Read the input of the step "Register model"; `training_job` is what SageMaker describes."""
        job, prepared, validation = event["training_job"], event["prepared"], event.get("validation") or {}
        findings = tuple(validation.get("findings") or ())[:MAX_FINDINGS]
        return cls(
            group=event["group"],
            dataset_id=event["dataset_id"],
            settings=GroupSettings.from_dict(event["settings"]),
            job=describe_job(job, prepared),
            model=ObjectRef.from_uri(job["ModelArtifacts"]["S3ModelArtifacts"]),
            source=Source(prepared.get("source_digest"), prepared.get("source_uri")),
            data=DataFindings.from_dict({**validation, "findings": findings}),
            dropped_file=_dropped_file(event.get("upload") or {}),
        )


def register_training(
    training: FinishedTraining,
    *,
    registry: ModelRegistry,
    objects: ObjectStore,
    evidence_root: str,
    gate_floors: Mapping[str, GateRule],
) -> Registration:
    """Register the model of a finished training job, once per job.

    A model that its gate rejects is registered too, with that status. The job's JSON documents, the model
    card and its plots are stored in `<evidence_root>/<group>/<version>/`; a repeated call completes them.
    `gate_floors` are those of the approval policy of the group.

    Raises
    ------
    ArtifactError
        If the job's output cannot be read or is not what a training writes.
    SettingsError
        If the gate has a rule on a score that the task does not have.
    """
    output = ObjectRef(training.model.bucket, training.model.key.rpartition("/")[0] + "/output.tar.gz")
    documents = read_evidence(output, objects)
    result = _read(TrainingResult, documents, TRAINING_RESULT, output)
    details = _read(EvaluationDetails, {EVALUATION_DETAILS: b"{}", **documents}, EVALUATION_DETAILS, output)
    files = _read(ModelFiles, {MANIFEST: b"{}", **documents}, MANIFEST, output)
    plots = {figure.name: as_file(figure) for figure in figures(result, details)}
    result = replace(result, comparison=_comparison(training, result, registry))
    registration = registry.register(
        training.group,
        _candidate(training, result, files, objects, plots=tuple(plots), gate_floors=gate_floors),
        job_key=training.job.arn,
        evidence_root=evidence_root,
    )
    card = _card(training, result, details, registration.model)
    pages = {MODEL_CARD: card} | {f"{PLOTS_FOLDER}/{name}.svg": plot for name, plot in plots.items()}
    folder = f"{evidence_root}/{training.group}/{registration.model.version}"
    keep_evidence({**documents, **pages}, folder, objects)
    return registration


def summarize(registration: Registration) -> str:
    """Describe in one line what was registered."""
    model = registration.model
    score = model.metrics.primary_score
    scored = f" with {describe_metric(*score)}" if score else ""
    return f"{model.model_group} {model.version}: {model.algorithm}{scored}."


def _card(
    training: FinishedTraining, result: TrainingResult, details: EvaluationDetails, model: ModelMetadata
) -> bytes:
    at = training.job.ended_at or model.created_at
    record = CardRecord(model, training.dropped_file)
    return render_card(result, details, group=training.group, created_at=at, record=record).encode()


def _comparison(
    training: FinishedTraining, result: TrainingResult, registry: ModelRegistry
) -> ChampionComparison | None:
    champion = registry.champion(training.group)
    if champion is None or _is_of(champion, training):
        return result.comparison
    others = [each for each in registry.list_models(training.group) if not _is_of(each, training)]
    why_not = f"the training was started before {champion.version} came into service; train again to compare."
    return compared_with(champion, result.comparison, others, why_not=why_not)


def compared_with(
    champion: ModelMetadata,
    comparison: ChampionComparison | None,
    others: Iterable[ModelMetadata],
    *,
    why_not: str,
) -> ChampionComparison:
    """Return the comparison of a training with the champion of this moment, and which look at its rows it is.

    Parameters
    ----------
    comparison
        That of the training, if it made one.
    others
        The other versions of the group.
    why_not
        Why the training did not compare its model with this champion, if it did not.
    """
    if comparison is None or comparison.champion_version != champion.version:
        return not_compared(champion.version, champion.metrics, why_not)
    earlier = (other.comparison for other in others if other.comparison)
    return replace(comparison, looks=count_looks(comparison, earlier))


def _is_of(model: ModelMetadata, training: FinishedTraining) -> bool:
    return model.training_job is not None and model.training_job.arn == training.job.arn


def _candidate(
    training: FinishedTraining,
    result: TrainingResult,
    files: ModelFiles,
    objects: ObjectStore,
    *,
    plots: tuple[str, ...],
    gate_floors: Mapping[str, GateRule],
) -> Candidate:
    importances = sorted(result.feature_importance.items(), key=lambda entry: -entry[1])[:MAX_IMPORTANCES]
    facts = training_facts(result) | {"settings": training.settings, "feature_importance": dict(importances)}
    return Candidate(
        result.algorithm,
        result.hyperparameters,
        result.metrics,
        training.dataset_id,
        describe_object(training.model, objects),
        source=training.source,
        training_job=training.job,
        gate=judge(result.metrics, result.comparison, training.settings.gate, gate_floors),
        data=replace(training.data, changes=result.changes),
        plots=plots,
        is_compiled=files.is_compiled,
        **facts,
    )


def _read[T: Record](kind: type[T], documents: Mapping[str, bytes], name: str, output: ObjectRef) -> T:
    try:
        return kind.from_json(documents[name])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{name} in {output.uri} cannot be read: {error}") from error


def _dropped_file(upload: Mapping[str, Any]) -> str | None:
    if "key" not in upload:
        return None
    version = f" (version {upload['version_id']})" if upload.get("version_id") else ""
    return f"s3://{upload['bucket']}/{upload['key']}{version}"
