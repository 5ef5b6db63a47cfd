"""The records of uploads, datasets, trainings and contracts in the registry's table.

Items of a group share the partition `GROUP#<group>`: `UPLOAD#<id>`, `DATASET#<digest>` and
`CONTRACT#<version>`, each with its record as a JSON document, and `EMAILS#<hour>`, a counter; those of
trainings are in `trainings`. The partition `GROUPS`, which the registry shares, has one item per group or
other folder.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mlops.dataset.catalog.trainings import TrainingRecords
from mlops.infrastructure.table import Absent, Item, OneOf, Put, SetAttribute, Table
from mlops.models.dataset import DatasetVersion
from mlops.models.errors import RegistryConflictError
from mlops.models.intake.trainings import TrainingRecord
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

_GROUPS = "GROUPS"


class DatasetVersions:
    """Uploads, datasets, trainings and contracts of all groups.

    Every `record_*` writes once: when the entry exists already nothing changes and the stored one is
    returned, so that a repeated delivery sees what the first one did. Reads are consistent; a miss is None.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def record_upload(self, upload: UploadRecord) -> UploadRecord:
        """Record a new upload."""
        return self._put_once(upload.group, _upload_key(upload.upload_id), upload, revision=upload.revision)

    def add_upload(self, upload: UploadRecord) -> bool:
        """Record a new upload with a single write; False when it was recorded before."""
        key = _upload_key(upload.upload_id)
        return self._put(upload.group, key, upload, Absent(), revision=upload.revision)

    def save_upload(self, upload: UploadRecord) -> UploadRecord:
        """Store the next revision of a recorded upload.

        When another revision was stored in the meantime nothing changes and that one is returned.
        """
        key, previous = _upload_key(upload.upload_id), OneOf("revision", (upload.revision - 1,))
        if self._put(upload.group, key, upload, previous, revision=upload.revision):
            return upload
        return self._stored(upload.group, key, UploadRecord)

    def find_upload(self, group: str, upload_id: str) -> UploadRecord | None:
        """Return the record of an upload."""
        return self._find(group, _upload_key(upload_id), UploadRecord)

    def list_uploads(self, group: str) -> tuple[UploadRecord, ...]:
        """Return all uploads of a group, oldest first."""
        uploads = self._list(group, "UPLOAD#", UploadRecord)
        return tuple(sorted(uploads, key=lambda upload: (upload.received_at, upload.upload_id)))

    def add_group(self, group: str) -> None:
        """Record that a group has files."""
        self._table.write(SetAttribute(_GROUPS, group, "has_files", value=True))

    def add_folder(self, name: str) -> None:
        """Record that there are unused files in a folder, which need not be that of a group."""
        if self._table.get(_GROUPS, name) is None:
            self._table.write(SetAttribute(_GROUPS, name, "has_unused_files", value=True))

    def is_group(self, name: str) -> bool:
        """Return whether there is a group of that name, with files or versions."""
        return _is_group(self._table.get(_GROUPS, name) or {})

    def list_groups(self) -> tuple[str, ...]:
        """Return the names of all groups with files or versions, in order."""
        return tuple(item["sk"] for item in self._table.query(_GROUPS) if _is_group(item))

    def list_folders(self) -> tuple[str, ...]:
        """Return the names of all groups, and of other folders that have unused files, in order."""
        return tuple(item["sk"] for item in self._table.query(_GROUPS))

    def count_email(self, group: str, hour: datetime, limit: int) -> bool:
        """Count an email about an unused file; False, with nothing counted, after `limit` in that hour."""
        key = f"EMAILS#{hour:%Y-%m-%dT%H}"
        while True:
            item = self._table.get(_partition(group), key)
            n_emails = int(item["n_emails"]) if item else 0
            if n_emails >= limit:
                return False
            condition = OneOf("n_emails", (n_emails,)) if item else Absent()
            counted = {"pk": _partition(group), "sk": key, "n_emails": n_emails + 1}
            if self._table.write(Put(counted, condition)):
                return True

    def record_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a dataset version."""
        return self._put_once(dataset.group, f"DATASET#{dataset.dataset_id}", dataset)

    def find_dataset(self, group: str, dataset_id: str) -> DatasetVersion | None:
        """Return the dataset of that digest, or the one that has replaced it."""
        dataset = self.recorded_dataset(group, dataset_id)
        while dataset is not None and dataset.replaced_by is not None:
            dataset = self.recorded_dataset(group, dataset.replaced_by)
        return dataset

    def recorded_dataset(self, group: str, dataset_id: str) -> DatasetVersion | None:
        """Return the dataset of that digest, also one that was replaced and has no file any more."""
        return self._find(group, f"DATASET#{dataset_id}", DatasetVersion)

    def replace_dataset(self, dataset: DatasetVersion, new_id: str) -> None:
        """Record which dataset has replaced one; a repeated call changes nothing."""
        self._put(dataset.group, f"DATASET#{dataset.dataset_id}", replace(dataset, replaced_by=new_id), None)

    def list_datasets(self, group: str) -> tuple[DatasetVersion, ...]:
        """Return all datasets of a group that were not replaced, oldest first."""
        datasets = [d for d in self._list(group, "DATASET#", DatasetVersion) if d.replaced_by is None]
        return tuple(sorted(datasets, key=lambda dataset: (dataset.created_at, dataset.dataset_id)))

    def replaced_ids(self, dataset: DatasetVersion) -> list[str]:
        """Return the ids of the datasets that a dataset has replaced, one after the other."""
        replaced = {
            d.replaced_by: d.dataset_id for d in self._list(dataset.group, "DATASET#", DatasetVersion)
        }
        ids, current = list[str](), dataset.dataset_id
        while current in replaced:
            current = replaced[current]
            ids.append(current)
        return ids

    @property
    def trainings(self) -> TrainingRecords:
        """The attempts of all trainings, and their failures."""
        return TrainingRecords(self._table)

    def record_training(self, training: TrainingRecord) -> TrainingRecord:
        """Record that a training was started."""
        return self.trainings.start(training)

    def record_contract(self, group: str, version: int, document: ObjectRef, *, now: datetime) -> ObjectRef:
        """Record where a version of the group's contract is stored."""
        return self._put_once(group, _contract_key(version), document, created_at=now.isoformat())

    def find_contract(self, group: str, version: int) -> ObjectRef | None:
        """Return where that version of the group's contract is stored."""
        return self._find(group, _contract_key(version), ObjectRef)

    def current_contract(self, group: str) -> ObjectRef | None:
        """Return where the newest version of the group's contract is stored."""
        newest = next(self._table.query(_partition(group), "CONTRACT#", newest_first=True), None)
        return ObjectRef.from_json(newest["document"]) if newest else None

    def _put_once[R: Record](self, group: str, key: str, record: R, **attributes: str | int) -> R:
        if self._put(group, key, record, Absent(), **attributes):
            return record
        return self._stored(group, key, type(record))

    def _put(
        self, group: str, key: str, record: Record, condition: Absent | OneOf | None, **attributes: str | int
    ) -> bool:
        # always plain text: release 0.1 reads no other form
        item = {"pk": _partition(group), "sk": key, "document": record.to_json(), **attributes}
        return self._table.write(Put(item, condition))

    def _stored[R: Record](self, group: str, key: str, kind: type[R]) -> R:
        record = self._find(group, key, kind)
        if record is None:
            raise RegistryConflictError(f"{key} of {group} was changed by someone else; try again.")
        return record

    def _find[R: Record](self, group: str, key: str, kind: type[R]) -> R | None:
        item = self._table.get(_partition(group), key)
        return kind.from_json(item["document"]) if item else None

    def _list[R: Record](self, group: str, prefix: str, kind: type[R]) -> list[R]:
        return [kind.from_json(item["document"]) for item in self._table.query(_partition(group), prefix)]


def _is_group(item: Item) -> bool:
    return bool(item.get("has_files") or item.get("has_versions"))


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _upload_key(upload_id: str) -> str:
    return f"UPLOAD#{upload_id}"


def _contract_key(version: int) -> str:
    return f"CONTRACT#{version:08d}"
