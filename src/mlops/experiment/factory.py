"""Where the runs are stored: in a directory, or in the table and the bucket of a stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.experiment.files import ObjectRunFiles
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment
from mlops.infrastructure.contention import Backoff

if TYPE_CHECKING:
    from mlops.experiment.mlflow.mirror import Mirror

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
    without those, the directory is `experiment-runs` in the current one. Where `MLFLOW_TRACKING_URI` is set,
    each run is copied to that server as well, see `mlops.experiment.mlflow.mirror`.
    """
    available = os.environ if variables is None else variables
    stack = environment.read(RunsEnvironment, available)
    if directory is not None or not (stack.registry_table_name and stack.artifact_bucket_name):
        from mlops.experiment.local import local_runs  # noqa: PLC0415  sqlite3 is not for Lambdas

        return local_runs(Path(directory or DEFAULT_DIRECTORY), mirror=_mirror(available))
    return stack_runs(stack.registry_table_name, stack.artifact_bucket_name, mirror=_mirror(available))


def _mirror(variables: Mapping[str, str]) -> Mirror | None:
    if not variables.get("MLFLOW_TRACKING_URI"):
        return None
    from mlops.experiment.mlflow.mirror import Mirror  # noqa: PLC0415  urllib is slow to import

    return Mirror.of_environment(variables)


def stack_runs(
    table_name: str, bucket: str, *, backoff: Backoff | None = None, mirror: Mirror | None = None
) -> RunStore:
    """Return the runs in a table; the files of each are the objects below `runs/<group>/<run_id>/`."""
    from mlops.infrastructure.aws.dynamodb import DynamoDBTable  # noqa: PLC0415  see clients.py
    from mlops.infrastructure.aws.s3 import S3Objects  # noqa: PLC0415

    objects = S3Objects()
    return RunStore(
        DynamoDBTable(table_name),
        lambda group, run_id: ObjectRunFiles(objects, bucket, f"runs/{group}/{run_id}/"),
        backoff=backoff,
        mirror=mirror,
    )
