"""What the parts below and beside the registry read of it; `ModelRegistry` is both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from mlops.models.registry import ModelMetadata, Status


class Champions(Protocol):
    """The versions in service."""

    def champion(self, group: str) -> ModelMetadata | None:
        """Return the version in service; None before the first promotion, and for an unknown group."""


class RegisteredModels(Champions, Protocol):
    """All versions of all groups."""

    def groups(self) -> list[str]:
        """Return the names of all groups that have a version."""

    def list_models(self, group: str, statuses: Collection[Status] | None = None) -> list[ModelMetadata]:
        """Return the versions of a group by rising number; none for an unknown group.

        With `statuses` only those in one of them: the others are read, but not decoded.
        """


def waiting_candidate(versions: RegisteredModels, group: str) -> ModelMetadata | None:
    """Return the last version of the group that waits for approval; None without one."""
    return next(reversed(versions.list_models(group, (Status.PENDING_APPROVAL,))), None)
