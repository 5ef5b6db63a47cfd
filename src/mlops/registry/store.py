"""The registry's state in a table: consistent reads, and every change as one transaction.

Items of a group share the partition `GROUP#<group>`: `HEAD`, `VERSION#<number>`, `NAME#<version>` (its
number), `JOB#<sha256 of the key>` and `AUDIT#<revision>`; the partition `GROUPS` has one item per group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from mlops.infrastructure.table import (
    Absent,
    OneOf,
    Put,
    SetAttribute,
    Table,
    document_attributes,
    document_of,
)
from mlops.models.errors import RegistryConflictError
from mlops.models.record import Record
from mlops.models.registry import AuditEntry, GroupState, ModelMetadata, Status, VersionSummary
from mlops.registry.lifecycle import TRANSITIONS, Action


@dataclass(frozen=True, slots=True)
class VersionWrite(Record):
    """One version as it is to be stored, and the action that brought it there."""

    model: ModelMetadata
    action: Action


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One step of a group, written whole or not at all.

    It holds only if the group's state is still `before` (None = the group does not exist), if every version
    is where its action may start, and if `job_key`, unless it is None, was never used. `entry.revision` and
    `after.revision` are `before.revision + 1`.
    """

    group: str
    before: GroupState | None
    after: GroupState
    writes: tuple[VersionWrite, ...]
    entry: AuditEntry
    job_key: str | None = None


class RegistryStore:
    """State of the registry. Every read sees every change that was committed before it began."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def groups(self) -> list[str]:
        """Return the names of the groups that have a version, sorted."""
        return [item["sk"] for item in self._table.query("GROUPS") if item.get("has_versions")]

    def group_state(self, group: str) -> GroupState | None:
        """Return the state of the group; None when it has no version."""
        item = self._table.get(_partition(group), "HEAD")
        if item is None:
            return None
        return GroupState(item["n_versions"], item["latest"], item["champion"], item["revision"])

    def version(self, group: str, version: str) -> ModelMetadata | None:
        """Return the version of that name; None when it does not exist."""
        name = self._table.get(_partition(group), f"NAME#{version}")
        item = name and self._table.get(_partition(group), _version_key(name["number"]))
        return ModelMetadata.from_json(document_of(item)) if item else None

    def versions(self, group: str, statuses: Collection[Status] | None = None) -> list[ModelMetadata]:
        """Return the versions of the group, all or those in one of the statuses, by rising number."""
        items = self._table.query(_partition(group), "VERSION#")
        return [
            ModelMetadata.from_json(document_of(item))
            for item in items
            if statuses is None or item["status"] in statuses
        ]

    def summaries(self, group: str) -> list[VersionSummary]:
        """Return what a table says of each version of the group, by rising number."""
        items = self._table.query(_partition(group), "VERSION#")
        return [VersionSummary.from_json(document_of(item)) for item in items]

    def newest_versions(self, group: str, n: int) -> list[ModelMetadata]:
        """Return the `n` versions of the group that were registered last, the newest first."""
        items = self._table.query(_partition(group), "VERSION#", newest_first=True)
        return [ModelMetadata.from_json(document_of(item)) for item in islice(items, n)]

    def audit(self, group: str) -> list[AuditEntry]:
        """Return all entries of the group by rising revision."""
        items = self._table.query(_partition(group), "AUDIT#")
        return [AuditEntry.from_json(document_of(item)) for item in items]

    def version_of_job(self, group: str, job_key: str) -> str | None:
        """Return the name of the version that was registered under the key; None when there is none."""
        item = self._table.get(_partition(group), _job_key(job_key))
        return str(item["version"]) if item else None

    def commit(self, change: Change) -> None:
        """Write the change in one transaction.

        Raises
        ------
        RegistryConflictError
            If one of its conditions does not hold any more; nothing was written.
        """
        if not self._table.write(*_operations(change)):
            raise RegistryConflictError(f"The group {change.group} was changed by someone else.")


def _operations(change: Change) -> Iterator[Put | SetAttribute]:
    partition, before = _partition(change.group), change.before
    is_current = Absent() if before is None else OneOf("revision", (before.revision,))
    yield Put({"pk": partition, "sk": "HEAD", **change.after.to_dict()}, is_current)
    for write in change.writes:
        yield from _version_operations(partition, write)
    audit_key = {"pk": partition, "sk": f"AUDIT#{change.entry.revision:08d}"}
    yield Put({**audit_key, **document_attributes(change.entry.to_json())}, Absent())
    if change.job_key is not None:
        job_key = {"pk": partition, "sk": _job_key(change.job_key)}
        yield Put({**job_key, "version": change.entry.version}, Absent())
    if before is None:
        # the runs may have listed the group already, so this has no condition
        yield SetAttribute("GROUPS", change.group, "has_versions", value=True)


def _version_operations(partition: str, write: VersionWrite) -> Iterator[Put]:
    """Yield the writes of one version, on the condition that its action may start where it is."""
    model, sources = write.model, TRANSITIONS[write.action].sources
    attributes = {"version": model.version, "status": model.status.value}
    item = {"pk": partition, "sk": _version_key(model.number), **attributes}
    item |= document_attributes(model.to_json())
    if sources:
        yield Put(item, OneOf("status", tuple(source.value for source in sources)))
        return
    yield Put(item, Absent())
    yield Put({"pk": partition, "sk": f"NAME#{model.version}", "number": model.number}, Absent())


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _version_key(number: int) -> str:
    return f"VERSION#{number:08d}"


def _job_key(job_key: str) -> str:
    return f"JOB#{hashlib.sha256(job_key.encode()).hexdigest()}"
