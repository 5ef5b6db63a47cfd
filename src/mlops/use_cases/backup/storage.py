"""What a stack stores, and what a backup of it contains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.table import Table
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

MANIFEST = "manifest.json"
OBJECT_LIST = "objects.jsonl.gz"
FORM = 1  # of the manifest and of what it describes


@dataclass(frozen=True, slots=True)
class StackStorage:
    """What a stack stores: tables and buckets by their role (`registry`, `artifacts`, ...).

    `names` are other names that records contain, such as the ARN of a state machine.
    """

    objects: ObjectStore
    tables: Mapping[str, Table]
    buckets: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject(Record):
    """One object in a backup, written to `objects/<number>` because keys have no room for a prefix.

    `role` is that of its bucket, `version_id` the version in the stack that was backed up.
    """

    number: int
    role: str
    key: str
    version_id: str | None
    size_bytes: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackupManifest(Record):
    """What a backup contains; it is written last, so a backup without it is not complete.

    `n_items` counts the items of each table, `names` what the stack was called (see `StackStorage`).
    """

    moment: datetime
    buckets: Mapping[str, str]
    names: Mapping[str, str]
    n_items: Mapping[str, int]
    n_objects: int
    size_bytes: int
    form: int = FORM


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """The folder of one backup in a bucket."""

    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """The address that `mlops restore` takes."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def manifest(self) -> ObjectRef:
        """The manifest."""
        return self._ref(MANIFEST)

    @property
    def object_list(self) -> ObjectRef:
        """The list of the objects: one `StoredObject` in each line."""
        return self._ref(OBJECT_LIST)

    def table(self, role: str) -> ObjectRef:
        """Return the items of a table: one JSON document in each line."""
        return self._ref(f"tables/{role}.jsonl.gz")

    def content(self, stored: StoredObject) -> ObjectRef:
        """Return the content of an object."""
        return self._ref(f"objects/{stored.number:08d}")

    def beside(self, name: str) -> ObjectRef:
        """Return an object in the folder that contains the backups."""
        parent, _, _ = self.prefix.rstrip("/").rpartition("/")
        return ObjectRef(self.bucket, f"{parent}/{name}" if parent else name)

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{self.prefix}{name}")
