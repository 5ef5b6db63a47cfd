"""Starts of trainings and scorings, each under a name that is derived from its content."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlops.infrastructure.upload_events import Upload
from mlops.intake.ports import IntakePorts
from mlops.intake.trainings import failure_of, training_id_of
from mlops.models.dataset import DatasetVersion, ValidationReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.batch import REQUEST
from mlops.models.scoring.batch_folder import batch_folder
from mlops.models.settings.group import GroupSettings

_MAX_FINDINGS = 20
_MAX_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class TrainingStart:
    """The training of a file, and the failure of the attempt before, when this file has started it again.

    `is_new` is False for a file that was trained on before.
    """

    training: TrainingRecord
    is_new: bool
    failure: TrainingFailure | None = None


def start_training(
    dataset: DatasetVersion,
    upload: Upload,
    report: ValidationReport,
    settings: GroupSettings,
    ports: IntakePorts,
    *,
    max_trainings_per_day: int,
    now: datetime,
) -> TrainingStart | None:
    """Start a training, unless there is one of these bytes with these settings that has not failed.

    After a failure another upload of the same bytes starts one more attempt; a repeated run for one upload
    does not. Returns None, and starts nothing, when the group has had `max_trainings_per_day` today (UTC); 0
    is no limit.
    """
    training_id = training_id_of(dataset.group, dataset.dataset_id, settings)
    requested = TrainingRecord(
        dataset.group, training_id, dataset.dataset_id, upload.upload_id, settings.to_dict(), now
    )
    training = _record_attempt(requested, ports, max_trainings_per_day)
    if training is None:
        return None
    if training.upload_id != upload.upload_id:
        return TrainingStart(training, is_new=False)
    document = {
        "group": dataset.group,
        "training_id": training_id,
        "dataset_id": dataset.dataset_id,
        "dataset": dataset.ref.to_dict(),
        "upload": upload.to_dict(),
        "upload_id": upload.upload_id,
        "settings": settings.to_dict(),
        "task": report.task,
        **({"contract": dataset.contract.to_dict()} if dataset.contract else {}),
        "validation": {**_evidence(report), "uploader": _uploader(upload, ports)},
    }
    ports.executions.start_training(training.execution_name, document)
    before = ports.versions.trainings.failure(dataset.group, training_id, training.attempt - 1)
    return TrainingStart(training, is_new=True, failure=before)


def _record_attempt(requested: TrainingRecord, ports: IntakePorts, max_per_day: int) -> TrainingRecord | None:
    """Return the attempt that there is, or a new one where there is none or it has failed.

    None when the group has no place for a new one on that day.
    """
    trainings, now = ports.versions.trainings, requested.started_at
    latest = trainings.latest(requested.group, requested.training_id)
    if latest is not None and (
        latest.upload_id == requested.upload_id or failure_of(latest, ports, now) is None
    ):
        return latest
    following = requested if latest is None else replace(requested, attempt=latest.attempt + 1)
    if max_per_day and not trainings.take_place(following, max_per_day):
        return None
    return trainings.start(following)


def start_scoring(
    upload: Upload,
    champion: ModelMetadata,
    settings: GroupSettings,
    ports: IntakePorts,
    *,
    received_at: datetime,
    content: ObjectRef | None = None,
) -> str:
    """Start scoring a file with the current champion; return the id of the batch.

    Parameters
    ----------
    settings
        Those of the champion's training, with `[scoring]` and `[output]` as they are now.
    received_at
        When the file came: a part of the folder of its predictions.
    content
        Where its rows are stored when the upload was converted.

    The request is stored in the folder of the predictions: a scoring job reads it from there, because
    SageMaker does not pass values longer than 256 characters.
    """
    folder = batch_folder(champion.model_group, upload.upload_id, upload.filename, received_at.date())
    document: dict[str, Any] = {
        "group": champion.model_group,
        "batch_id": upload.upload_id,
        "upload": upload.to_dict(),
        "model": {
            "version": champion.version,
            "artifact": champion.artifact.to_dict(),
            "source_uri": champion.source.uri,
            "is_compiled": champion.is_compiled,
        },
        "settings": settings.to_dict(),
        "folder": folder,
    }
    if content is not None:
        size_bytes = ports.objects.head(content).size_bytes
        document |= {"content": content.to_dict(), "content_bytes": size_bytes}
    request = json.dumps(document, indent=2).encode()
    ports.objects.write(ObjectRef(ports.artifact_bucket, f"{folder}/{REQUEST}"), request, "application/json")
    ports.executions.start_inference(upload.upload_id, document)
    return upload.upload_id


def _uploader(upload: Upload, ports: IntakePorts) -> str | None:
    """Return who dropped the file, from the metadata `uploader` of the object; None without it."""
    try:
        uploader = ports.objects.head(upload.ref).metadata.get("uploader", "")
    except ObjectNotFoundError:  # deleted since; the dataset has its own copy
        return None
    return uploader.strip()[:_MAX_ADDRESS] or None


def _evidence(report: ValidationReport) -> dict[str, Any]:
    """Return what the input of the execution contains of the report: short, and without cell values."""
    findings = [
        {
            "rule_id": f.rule_id,
            "severity": f.severity,
            "message": f.message[:300],
            "column": f.column and f.column[:100],
        }
        for f in report.findings[:_MAX_FINDINGS]
    ]
    return {"verdict": report.verdict, "n_rows": report.n_rows, "findings": findings}
