"""What the parts below and beside the registry read of it; `ModelRegistry` is both."""

from __future__ import annotations

from typing import Protocol

from mlops.models.registry import ModelMetadata


class Champions(Protocol):
    """The versions in service."""

    def champion(self, group: str) -> ModelMetadata | None:
        """Return the version in service; None before the first promotion, and for an unknown group."""


class RegisteredModels(Champions, Protocol):
    """All versions of all groups."""

    def groups(self) -> list[str]:
        """Return the names of all groups that have a version."""

    def list_models(self, group: str) -> list[ModelMetadata]:
        """Return all versions of a group by rising number; none for an unknown group."""
