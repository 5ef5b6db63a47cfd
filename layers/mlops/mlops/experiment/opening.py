"""Where the runs are kept, when the caller does not say it in code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import DatasetError
from mlops.experiment.filesystem import FilesystemRuns
from mlops.experiment.store import RunStore
from mlops.infrastructure import environment
from mlops.models.experiment import RunDataset

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


def describe_dataset(path: str | Path, *, dataset_id: str | None = None) -> RunDataset:
    """Return name, digest and address of a local file; the name is the file's unless one is given.

    Raises
    ------
    DatasetError
        If there is no such file.
    """
    file = Path(path)
    if not file.is_file():
        raise DatasetError(f"There is no file at {file}.")
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return RunDataset(dataset_id or file.name, digest, str(file.resolve()))
