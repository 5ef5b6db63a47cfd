"""The realised quality of a group: its labels joined with its predictions, and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.files import LedgerFiles
from mlops.ledger.labels.counting import JoinedPredictions, joined_predictions
from mlops.ledger.labels.joining import JoinTerms
from mlops.models.errors import ObjectNotFoundError
from mlops.models.evaluation import EvaluationDetails, SliceQuality
from mlops.models.objects import ObjectRef
from mlops.models.registered import RegisteredModels, waiting_candidate
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.quality import QualityPart, QualityReport
from mlops.models.scoring.shadow import ShadowQuality
from mlops.models.settings.classes import OTHER_CLASS
from mlops.models.settings.group import TaskName
from mlops.models.settings.monitoring import QualitySettings
from mlops.monitoring.quality.measure import Measure, ordered_labels
from mlops.monitoring.quality.periods import joined
from mlops.monitoring.quality.quality_report import JudgedVersion, report_quality
from mlops.pipelines.artifact_files import EVALUATION_DETAILS
from mlops.use_cases.quality.record_labels import id_columns_of


@dataclass(frozen=True, slots=True)
class QualitySources:
    """What quality is measured from; `settings_of` returns `[quality]` of a group as it is now."""

    versions: RegisteredModels
    ledger: LedgerFiles
    labels: LedgerFiles
    batches: LedgerBatches
    objects: ObjectStore
    settings_of: Callable[[ModelMetadata], QualitySettings]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The report of a group, None without a label or an estimate; and how many labels of one file match.

    `shadow` is the quality of the candidate that waits for approval beside that of the champion, None without
    rows that both have scored and that have a label.
    """

    group: str
    report: QualityReport | None
    n_matched_of_upload: int = 0
    shadow: ShadowQuality | None = None


def measure_group(
    group: str, sources: QualitySources, now: datetime, upload_id: str | None = None
) -> Measurement:
    """Measure the quality of a group's champion.

    Parameters
    ----------
    upload_id
        The file of labels whose matches are counted.
    """
    champion = sources.versions.champion(group)
    task = (champion.task or champion.metrics.task) if champion else None
    if champion is None or task is None:
        return Measurement(group, None)
    settings, not_followed = sources.settings_of(champion).followed(champion.settings.quality)
    since = now.astimezone(UTC).date() - timedelta(days=settings.window_days)
    with _joined(champion, task, sources, since) as predictions:
        if predictions is None:
            return Measurement(group, None)
        judged = JudgedVersion(
            group,
            champion.version,
            Measure.of(task, champion.metrics, settings.min_labels),
            settings,
            slices_of(champion, sources.objects),
            _other_versions(champion, sources, predictions),
        )
        report = report_quality(predictions, judged, now.astimezone(UTC))
        if report is not None:
            report = replace(report, settings_not_followed=not_followed)
        n_matched = predictions.matched_labels(upload_id) if upload_id else 0
        return Measurement(group, report, n_matched, predictions.shadow_quality())


def slices_of(model: ModelMetadata, objects: ObjectStore) -> Sequence[SliceQuality]:
    """Return the quality of a version on the slices that its settings name; none when it was not stored."""
    if model.evidence_uri is None:
        return ()
    address = f"{model.evidence_uri}/{EVALUATION_DETAILS}"
    try:
        content = (
            objects.read(ObjectRef.from_uri(address))
            if address.startswith("s3://")
            else Path(address).read_bytes()
        )
    except (ObjectNotFoundError, FileNotFoundError):
        return ()
    table = EvaluationDetails.from_json(content).slice_table
    return table.slices if table else ()


@contextmanager
def _joined(
    champion: ModelMetadata, task: TaskName, sources: QualitySources, since: date
) -> Iterator[JoinedPredictions | None]:
    """Provide the joined predictions; None when there are none in the window."""
    batches = sources.batches.list(champion.model_group, since)
    if not batches:
        yield None
        return
    candidate = waiting_candidate(sources.versions, champion.model_group)
    pools = champion.settings.classes.rare != "drop"
    terms = JoinTerms(
        task=task,
        id_columns=id_columns_of(champion, batches),
        labels=ordered_labels(champion.metrics) if task != "regression" else (),
        other=OTHER_CLASS if pools else None,
        columns=champion.settings.slices.columns,
        persons=champion.settings.group_columns,
        shadow_version=candidate.version if candidate else None,
    )
    with joined_predictions(
        champion.model_group,
        champion.version,
        terms,
        ledger=sources.ledger,
        labels=sources.labels,
        since=since,
    ) as predictions:
        yield predictions


def _other_versions(
    champion: ModelMetadata, sources: QualitySources, predictions: JoinedPredictions
) -> list[QualityPart]:
    """Return what the other versions with the same classes have reached in the window."""
    parts = []
    others = set(predictions.versions()) - {champion.version}
    for model in sources.versions.list_models(champion.model_group):
        is_alike = model.task == champion.task and set(model.metrics.labels) == set(champion.metrics.labels)
        if model.version not in others or not is_alike or model.task is None:
            continue
        days = predictions.of(model.version).days()
        together = joined(sorted(days), days)
        if together.counts.n_labels:
            measure = Measure.of(model.task, model.metrics, 0)
            approved = measure.approved
            parts.append(
                measure.part("version", model.version, together.counts, together.n_predictions, approved)
            )
    return parts
