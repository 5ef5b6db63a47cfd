"""What is remembered of uploads and datasets, whoever stores it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from mlops.models.dataset import DatasetVersion, TrainingRecord, UploadRecord
from mlops.models.objects import ObjectRef


class DatasetVersions(Protocol):
    """Uploads, datasets, trainings and contracts of all groups.

    Every `record_*` writes once: when the entry is there already nothing changes and the stored one is
    returned, so that a repeated delivery sees what the first one did. Reads are consistent; a miss is None.
    """

    def record_upload(self, upload: UploadRecord) -> UploadRecord:
        """Record an upload that was not seen before."""

    def save_upload(self, upload: UploadRecord) -> UploadRecord:
        """Store the next revision of a recorded upload.

        When another revision was stored in the meantime nothing changes and that one is returned.
        """

    def find_upload(self, group: str, upload_id: str) -> UploadRecord | None:
        """Return what is recorded of an upload."""

    def list_uploads(self, group: str) -> tuple[UploadRecord, ...]:
        """Return all uploads of a group, oldest first."""

    def record_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a dataset version."""

    def find_dataset(self, group: str, dataset_id: str) -> DatasetVersion | None:
        """Return the dataset of that digest."""

    def list_datasets(self, group: str) -> tuple[DatasetVersion, ...]:
        """Return all datasets of a group, oldest first."""

    def record_training(self, training: TrainingRecord) -> TrainingRecord:
        """Record that a training was started."""

    def record_contract(self, group: str, version: int, document: ObjectRef, *, now: datetime) -> ObjectRef:
        """Record where a version of the group's contract lies."""

    def find_contract(self, group: str, version: int) -> ObjectRef | None:
        """Return where that version of the group's contract lies."""

    def current_contract(self, group: str) -> ObjectRef | None:
        """Return where the newest version of the group's contract lies."""
