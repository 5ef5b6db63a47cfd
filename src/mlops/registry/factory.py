"""Where the registry's state is kept, when the caller does not bring a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure import environment
from mlops.infrastructure.extras import require_package
from mlops.registry.filesystem import FilesystemRegistry
from mlops.registry.store import RegistryStore


@dataclass(frozen=True, slots=True)
class RegistryEnvironment:
    """Where the registry's table is named when the caller does not."""

    registry_table_name: str


def open_store(use_dynamodb: bool, *, root: str | Path, table_name: str | None = None) -> RegistryStore:  # noqa: FBT001  as `ModelRegistry`
    """Return the state in the table `table_name` (default: `REGISTRY_TABLE_NAME`) or in files.

    Raises
    ------
    MissingPackageError
        If the table is to be used and boto3 is not installed.
    """
    if not use_dynamodb:
        return FilesystemRegistry(Path(root))
    require_package("boto3")
    from mlops.registry.dynamodb import DynamoDBRegistry  # noqa: PLC0415  see clients.py

    return DynamoDBRegistry(table_name or environment.read(RegistryEnvironment).registry_table_name)
