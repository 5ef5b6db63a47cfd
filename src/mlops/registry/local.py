"""The registry in a file below a directory, and the import of what release 0.1 stored there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlops.infrastructure.file_import import exclusive_lock, import_once
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.errors import RegistryError
from mlops.registry.store import Change, RegistryStore

FILENAME = "registry.sqlite3"


def local_registry(root: Path) -> RegistryStore:
    """Return the state below a directory; what release 0.1 stored there is imported first.

    Raises
    ------
    RegistryError
        If release 0.1 changed a group after its import.
    """
    store = RegistryStore(SqliteTable(root / FILENAME))
    import_files(root, store)
    return store


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
