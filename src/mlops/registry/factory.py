"""Where the registry's state is stored, when the caller does not pass a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure import environment
from mlops.infrastructure.extras import require_package
from mlops.registry.store import RegistryStore


@dataclass(frozen=True, slots=True)
class RegistryEnvironment:
    """The name of the registry's table, when the caller does not pass it."""

    registry_table_name: str


def open_store(use_dynamodb: bool, *, root: str | Path, table_name: str | None = None) -> RegistryStore:  # noqa: FBT001  as `ModelRegistry`
    """Return the state in the table `table_name` (default: `REGISTRY_TABLE_NAME`) or below `root`.

    Raises
    ------
    MissingPackageError
        If the table is to be used and boto3 is not installed.
    """
    if not use_dynamodb:
        from mlops.registry.local import local_registry  # noqa: PLC0415  sqlite3 is not for Lambdas

        return local_registry(Path(root))
    require_package("boto3")
    from mlops.infrastructure.aws.dynamodb import DynamoDBTable  # noqa: PLC0415  see clients.py

    name = table_name or environment.read(RegistryEnvironment).registry_table_name
    return RegistryStore(DynamoDBTable(name))
