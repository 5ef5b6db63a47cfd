"""Where the runs are stored: in a directory, or in the table and the bucket of a stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.experiment.files import LocalRunFiles, ObjectRunFiles
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.file_import import exclusive_lock, import_once
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.experiment import Run

DEFAULT_DIRECTORY = "experiment-runs"
FILENAME = "runs.sqlite3"


@dataclass(frozen=True, slots=True)
class RunsEnvironment:
    """The table and the bucket of the stack; without them runs are stored in files."""

    registry_table_name: str = ""
    artifact_bucket_name: str = ""


def open_store(
    directory: str | Path | None = None, *, variables: Mapping[str, str] | None = None
) -> RunStore:
    """Return the runs in a directory, or else in the stack that the environment names.

    Without a directory, `REGISTRY_TABLE_NAME` and `ARTIFACT_BUCKET_NAME` together name table and bucket;
    without those, the directory is `experiment-runs` in the current one.
    """
    stack = environment.read(RunsEnvironment, os.environ if variables is None else variables)
    if directory is not None or not (stack.registry_table_name and stack.artifact_bucket_name):
        return local_runs(Path(directory or DEFAULT_DIRECTORY))
    return stack_runs(stack.registry_table_name, stack.artifact_bucket_name)


def local_runs(root: Path) -> RunStore:
    """Return the runs below a directory: `runs.sqlite3`, and the files of each in `<group>/<run_id>/files/`.

    What release 0.1 stored there, `<group>/<run_id>/run.json`, is imported first.
    """
    store = RunStore(
        SqliteTable(root / FILENAME), lambda group, run_id: LocalRunFiles(root / group / run_id / "files")
    )

    def import_run(path: Path) -> None:
        with exclusive_lock(path.with_name(".lock")):  # the lock of release 0.1, which may be running
            store.add(Run.from_json(path.read_bytes()))

    import_once(root, lambda: root.glob("*/*/run.json"), import_run)
    return store


def stack_runs(table_name: str, bucket: str, *, backoff: Backoff | None = None) -> RunStore:
    """Return the runs in a table; the files of each are the objects below `runs/<group>/<run_id>/`."""
    from mlops.infrastructure.aws.dynamodb import DynamoDBTable  # noqa: PLC0415  see clients.py
    from mlops.infrastructure.aws.s3 import S3Objects  # noqa: PLC0415

    objects = S3Objects()
    return RunStore(
        DynamoDBTable(table_name),
        lambda group, run_id: ObjectRunFiles(objects, bucket, f"runs/{group}/{run_id}/"),
        backoff=backoff,
    )
