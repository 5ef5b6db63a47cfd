"""Accepted files: an immutable copy named by its content, a dataset record, the group's contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.conversion.table_file import CONVERTED_TABLE
from mlops.dataset.validation.survey.expectations import next_contract
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.dataset import Contract, DatasetVersion, ValidationReport
from mlops.models.intake.retraining import DatasetLineage
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings


class DatasetStorage(Protocol):
    """Where datasets are kept: their records, and their files in one bucket."""

    @property
    def objects(self) -> ObjectStore:
        """The files."""

    @property
    def versions(self) -> DatasetVersions:
        """The records."""

    @property
    def artifact_bucket(self) -> str:
        """The bucket that datasets are copied to."""


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A training file that may be used, and its validation report.

    `content` is where its rows are stored when the upload only closed a folder of parts, or was converted.
    `lineage` says what it was made of, when it was not dropped by a person.
    """

    upload: Upload
    group: str
    report: ValidationReport
    settings: GroupSettings = field(default_factory=GroupSettings)
    content: ObjectRef | None = None
    lineage: DatasetLineage | None = None


def current_contract(group: str, storage: DatasetStorage) -> Contract | None:
    """Return the contract that files of the group are checked against, None before the first file."""
    document = storage.versions.current_contract(group)
    return None if document is None else Contract.from_json(storage.objects.read(document))


def contract_of_version(model: ModelMetadata, storage: DatasetStorage) -> Contract | None:
    """Return the contract of the file that a model was trained on: what it expects of files to score.

    A model that was trained elsewhere has no dataset here; then the group's current contract counts.
    """
    dataset = storage.versions.find_dataset(model.model_group, model.dataset_version)
    if dataset is None or dataset.contract is None:
        return current_contract(model.model_group, storage)
    return Contract.from_json(storage.objects.read(dataset.contract))


def accept_dataset(file: AcceptedFile, storage: DatasetStorage, now: datetime) -> DatasetVersion:
    """Store the file once as a dataset version; the same bytes give the version that is there already.

    The group's contract becomes what the settings make of it, even when the bytes are stored already.
    """
    contract = _contract_for(file, storage, now)
    stored = storage.versions.find_dataset(file.group, file.report.sha256)
    if stored is not None:
        return stored
    folder = f"datasets/{file.group}/{file.report.sha256}"
    source = file.content or file.upload.ref
    is_written_here = file.content is not None and file.content.key.endswith(f"/{CONVERTED_TABLE}")
    name = CONVERTED_TABLE if is_written_here else "data.csv"
    copy = storage.objects.copy(source, ObjectRef(storage.artifact_bucket, f"{folder}/{name}"))
    report = storage.objects.write(
        ObjectRef(storage.artifact_bucket, f"{folder}/report.json"),
        file.report.to_json().encode(),
        "application/json",
    )
    version = DatasetVersion(
        group=file.group,
        dataset_id=file.report.sha256,
        purpose=file.report.purpose,
        ref=copy,
        report_ref=report,
        source=file.upload.ref,
        upload_id=file.upload.upload_id,
        size_bytes=file.report.size_bytes,
        n_rows=file.report.n_rows,
        n_columns=file.report.n_columns,
        verdict=file.report.verdict,
        columns={column.name: column.kind for column in file.report.columns},
        created_at=now,
        contract=contract,
        feature_service=file.settings.features.title,
        lineage=_keep_lineage(file, folder, storage),
    )
    return storage.versions.record_dataset(version)


def _keep_lineage(file: AcceptedFile, folder: str, storage: DatasetStorage) -> ObjectRef | None:
    if file.lineage is None:
        return None
    place = ObjectRef(storage.artifact_bucket, f"{folder}/lineage.json")
    return storage.objects.write(place, file.lineage.to_json().encode(), "application/json")


def _contract_for(file: AcceptedFile, storage: DatasetStorage, now: datetime) -> ObjectRef | None:
    """Return the group's contract, a new version of it when this file or its settings changed it.

    Of two files that change it at once the second one to write builds on what the first one wrote.
    """
    taught = file.report.contract
    while True:
        latest = storage.versions.current_contract(file.group)
        if taught is None:
            return latest
        current = None if latest is None else Contract.from_json(storage.objects.read(latest))
        contract = next_contract(current, taught, file.settings)
        if contract == current:
            return latest
        content = contract.to_json().encode()
        name = f"{contract.version:08d}-{hashlib.sha256(content).hexdigest()[:12]}.json"
        place = ObjectRef(storage.artifact_bucket, f"datasets/{file.group}/contracts/{name}")
        document = storage.objects.write(place, content, "application/json")
        stored = storage.versions.record_contract(file.group, contract.version, document, now=now)
        if stored.key == document.key:
            return stored
