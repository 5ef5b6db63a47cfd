"""What the registry needs from whoever keeps its state: consistent reads and one atomic write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mlops.models.record import Record
from mlops.models.registry import AuditEntry, GroupState, ModelMetadata
from mlops.registry.lifecycle import Action


@dataclass(frozen=True, slots=True)
class VersionWrite(Record):
    """One version as it is to be stored, and the action that brought it there."""

    model: ModelMetadata
    action: Action


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One step of a group, written whole or not at all.

    It holds only if the group's head is still `before` (None = the group does not exist), if every version is
    where its action may start, and if `job_key`, when given, was never used. `entry.revision` and
    `after.revision` are `before.revision + 1`.
    """

    group: str
    before: GroupState | None
    after: GroupState
    writes: tuple[VersionWrite, ...]
    entry: AuditEntry
    job_key: str | None = None


class RegistryStore(Protocol):
    """State of the registry. Every read sees every change that was committed before it began."""

    def groups(self) -> list[str]:
        """Return the names of the groups that have a version, sorted."""

    def head(self, group: str) -> GroupState | None:
        """Return the head of the group; None when it has no version."""

    def version(self, group: str, version: str) -> ModelMetadata | None:
        """Return the version of that name; None when there is none."""

    def versions(self, group: str) -> list[ModelMetadata]:
        """Return all versions of the group by rising number."""

    def audit(self, group: str) -> list[AuditEntry]:
        """Return all entries of the group by rising revision."""

    def version_of_job(self, group: str, job_key: str) -> str | None:
        """Return the name of the version that was registered under the key; None when there is none."""

    def commit(self, change: Change) -> None:
        """Write the change atomically.

        Raises
        ------
        RegistryConflictError
            If one of its conditions does not hold any more; nothing was written.
        """
