"""Dataset versions as JSON files: for work without AWS, with the same guarantees between processes."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mlops.models.dataset import DatasetVersion, TrainingRecord, UploadRecord
from mlops.models.objects import ObjectRef


class FilesystemDatasetVersions:
    """`DatasetVersions` in a directory: `<group>/<kind>/<id>.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def record_upload(self, upload: UploadRecord) -> UploadRecord:
        """Record an upload that was not seen before."""
        path = self._path(upload.group, "uploads", upload.upload_id)
        return UploadRecord.from_json(_write_once(path, upload.to_json()))

    def save_upload(self, upload: UploadRecord) -> UploadRecord:
        """Store the next revision of a recorded upload."""
        path = self._path(upload.group, "uploads", upload.upload_id)
        with _lock(path.parent):
            stored = UploadRecord.from_json(path.read_text("utf-8"))
            if stored.revision != upload.revision - 1:
                return stored
            _temporary(path, upload.to_json()).replace(path)
        return upload

    def find_upload(self, group: str, upload_id: str) -> UploadRecord | None:
        """Return what is recorded of an upload."""
        path = self._path(group, "uploads", upload_id)
        return UploadRecord.from_json(path.read_text("utf-8")) if path.is_file() else None

    def list_uploads(self, group: str) -> tuple[UploadRecord, ...]:
        """Return all uploads of a group, oldest first."""
        found = map(UploadRecord.from_json, self._texts(group, "uploads"))
        return tuple(sorted(found, key=lambda upload: (upload.received_at, upload.upload_id)))

    def record_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a dataset version."""
        path = self._path(dataset.group, "datasets", dataset.dataset_id)
        return DatasetVersion.from_json(_write_once(path, dataset.to_json()))

    def find_dataset(self, group: str, dataset_id: str) -> DatasetVersion | None:
        """Return the dataset of that digest."""
        path = self._path(group, "datasets", dataset_id)
        return DatasetVersion.from_json(path.read_text("utf-8")) if path.is_file() else None

    def list_datasets(self, group: str) -> tuple[DatasetVersion, ...]:
        """Return all datasets of a group, oldest first."""
        found = map(DatasetVersion.from_json, self._texts(group, "datasets"))
        return tuple(sorted(found, key=lambda dataset: (dataset.created_at, dataset.dataset_id)))

    def record_training(self, training: TrainingRecord) -> TrainingRecord:
        """Record that a training was started."""
        path = self._path(training.group, "trainings", training.training_id)
        return TrainingRecord.from_json(_write_once(path, training.to_json()))

    def record_contract(self, group: str, version: int, document: ObjectRef, *, now: datetime) -> ObjectRef:  # noqa: ARG002
        """Record where a version of the group's contract lies."""
        path = self._path(group, "contracts", f"{version:08d}")
        return ObjectRef.from_json(_write_once(path, document.to_json()))

    def find_contract(self, group: str, version: int) -> ObjectRef | None:
        """Return where that version of the group's contract lies."""
        path = self._path(group, "contracts", f"{version:08d}")
        return ObjectRef.from_json(path.read_text("utf-8")) if path.exists() else None

    def current_contract(self, group: str) -> ObjectRef | None:
        """Return where the newest version of the group's contract lies."""
        newest = list(self._texts(group, "contracts"))[-1:]
        return ObjectRef.from_json(newest[0]) if newest else None

    def _path(self, group: str, kind: str, name: str) -> Path:
        return self._root / group / kind / f"{name}.json"

    def _texts(self, group: str, kind: str) -> Iterator[str]:
        folder = self._root / group / kind
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            yield path.read_text("utf-8")


def _write_once(path: Path, text: str) -> str:
    """Create the file whole, unless it is there; return what it holds."""
    temporary = _temporary(path, text)
    try:
        path.hardlink_to(temporary)  # unlike a rename, a link never replaces what another process wrote
    except FileExistsError:
        return path.read_text("utf-8")
    finally:
        temporary.unlink()
    return text


def _temporary(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    return Path(name)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
