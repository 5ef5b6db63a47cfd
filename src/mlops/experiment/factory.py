"""Where the runs are kept, when the caller does not say it in code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.experiment.filesystem import FilesystemRuns
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment

DEFAULT_DIRECTORY = "experiment-runs"


@dataclass(frozen=True, slots=True)
class RunsEnvironment:
    """The table and the bucket of the stack; without them runs are kept in files."""

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
        return FilesystemRuns(Path(directory or DEFAULT_DIRECTORY))
    from mlops.experiment.dynamodb import DynamoDBRuns  # noqa: PLC0415  brings boto3

    return DynamoDBRuns(stack.registry_table_name, stack.artifact_bucket_name)
