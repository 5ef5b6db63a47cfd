"""Runs in a file below a directory, and the import of what release 0.1 stored there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops.experiment.files import LocalRunFiles, RunFiles
from mlops.experiment.store import RunStore
from mlops.infrastructure.file_import import exclusive_lock, import_once
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.experiment import Run

FILENAME = "runs.sqlite3"


def local_runs(root: Path, *, mirror: Callable[[Run, RunFiles], None] | None = None) -> RunStore:
    """Return the runs below a directory: `runs.sqlite3`, and the files of each in `<group>/<run_id>/files/`.

    What release 0.1 stored there, `<group>/<run_id>/run.json`, is imported first.
    """
    store = RunStore(
        SqliteTable(root / FILENAME),
        lambda group, run_id: LocalRunFiles(root / group / run_id / "files"),
        mirror=mirror,
    )

    def import_run(path: Path) -> None:
        with exclusive_lock(path.with_name(".lock")):  # the lock of release 0.1, which may be running
            store.add(Run.from_json(path.read_bytes()))

    import_once(root, lambda: root.glob("*/*/run.json"), import_run)
    return store
