"""Tombstones: that a person was forgotten, when, why and by whom; never the id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

FORGOTTEN = "forgotten/"  # in the artifact bucket: a key for each group, and its tombstones


@dataclass(frozen=True, slots=True)
class Tombstone(Record):
    """One forgotten id of a group, known by its keyed digest.

    `finished_at` is None until everything was removed; `n_files` and `n_rows` count what all runs removed.
    """

    group: str
    column: str
    digest: str
    requested_by: str
    requested_at: datetime
    reason: str = ""
    finished_at: datetime | None = None
    n_files: int = 0
    n_rows: int = 0


@dataclass(frozen=True, slots=True)
class TombstoneStore:
    """The tombstones of all groups, one object for each."""

    objects: ObjectStore
    bucket: str

    def list(self, group: str) -> Iterator[Tombstone]:
        """Yield the tombstones of a group."""
        for facts in self.objects.list(self.bucket, f"{FORGOTTEN}{group}/tombstones/"):
            yield Tombstone.from_json(self.objects.read(facts.ref))

    def find(self, group: str, digest: str) -> Tombstone | None:
        """Return the tombstone of a digest; None when the id was not forgotten."""
        try:
            return Tombstone.from_json(self.objects.read(self._ref(group, digest)))
        except ObjectNotFoundError:
            return None

    def save(self, tombstone: Tombstone) -> None:
        """Store a tombstone; the version before stays in the history of the object."""
        ref = self._ref(tombstone.group, tombstone.digest)
        self.objects.write(ref, tombstone.to_json().encode(), "application/json")

    def _ref(self, group: str, digest: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{FORGOTTEN}{group}/tombstones/{digest}.json")
