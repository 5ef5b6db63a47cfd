"""Where the registry's state is stored, when the caller does not pass a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure import environment
from mlops.infrastructure.extras import require_package
from mlops.infrastructure.file_import import exclusive_lock, import_once
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.errors import RegistryError
from mlops.registry.store import Change, RegistryStore

FILENAME = "registry.sqlite3"


@dataclass(frozen=True, slots=True)
class RegistryEnvironment:
    """The name of the registry's table, when the caller does not pass it."""

    registry_table_name: str


def open_store(use_dynamodb: bool, *, root: str | Path, table_name: str | None = None) -> RegistryStore:  # noqa: FBT001  as `ModelRegistry`
    """Return the state in the table `table_name` (default: `REGISTRY_TABLE_NAME`) or in a file below `root`.

    What release 0.1 stored below `root` is imported first.

    Raises
    ------
    MissingPackageError
        If the table is to be used and boto3 is not installed.
    RegistryError
        If release 0.1 changed a group after its import.
    """
    if not use_dynamodb:
        store = RegistryStore(SqliteTable(Path(root) / FILENAME))
        import_files(Path(root), store)
        return store
    require_package("boto3")
    from mlops.infrastructure.aws.dynamodb import DynamoDBTable  # noqa: PLC0415  see clients.py

    return RegistryStore(
        DynamoDBTable(table_name or environment.read(RegistryEnvironment).registry_table_name)
    )


def import_files(root: Path, store: RegistryStore) -> None:
    """Commit the changes that release 0.1 stored, each in a file `<group>/changes/00000007.json`."""

    def import_group(folder: Path) -> None:
        with exclusive_lock(folder / ".lock"):  # the lock of release 0.1, which may be running
            _import_group(folder, store)

    def find_groups() -> Iterator[Path]:
        return (path.parents[1] for path in root.glob("*/changes/00000001.json"))

    import_once(root, find_groups, import_group)


def _import_group(folder: Path, store: RegistryStore) -> None:
    imported = store.audit(folder.name)
    for path in sorted((folder / "changes").glob("[0-9]*.json")):
        change = Change.from_json(path.read_bytes())
        if change.entry.revision > len(imported):
            store.commit(change)
        elif change.entry != imported[change.entry.revision - 1]:
            raise RegistryError(
                f"Release 0.1 changed the group {folder.name} after its import into this release. "
                f"Move {folder} away: its changes do not continue the imported ones."
            )
