"""Where the runs are stored: in a directory, or in the table and the bucket of a stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.experiment.files import ObjectRunFiles
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment
from mlops.infrastructure.contention import Backoff

DEFAULT_DIRECTORY = "experiment-runs"


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
        from mlops.experiment.local import local_runs  # noqa: PLC0415  sqlite3 is not for Lambdas

        return local_runs(Path(directory or DEFAULT_DIRECTORY))
    return stack_runs(stack.registry_table_name, stack.artifact_bucket_name)


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
