"""Where a local run comes from: the data and the code, by digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from mlops.models.errors import DatasetError
from mlops.models.experiment import RunDataset
from mlops.pipelines.jobs.training_source import source_digest


@cache
def library_digest() -> str:
    """Return the digest of this library's source: the code that a local run ran."""
    return source_digest(Path(__file__).parents[1])


def describe_dataset(path: str | Path, *, dataset_id: str | None = None) -> RunDataset:
    """Return name, digest and address of a local file; the name is the file's unless `dataset_id` is set.

    Raises
    ------
    DatasetError
        If the file does not exist.
    """
    file = Path(path)
    if not file.is_file():
        raise DatasetError(f"There is no file at {file}.")
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return RunDataset(dataset_id or file.name, digest, str(file.resolve()))
