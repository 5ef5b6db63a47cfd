"""The code that training jobs run, published once per content: `code/<digest>/` in the artifact bucket."""

from __future__ import annotations

import hashlib
import mimetypes
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore, in_parallel
from mlops.models.errors import TrainingError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

# written last and beside the folder, not in it: a job downloads the folder alone
_MARKER_SUFFIX = ".complete"
_LEFT_OUT = ("__pycache__",)


@dataclass(frozen=True, slots=True)
class Source(Record):
    """Published code: `uri` ends with a slash and contains the files, `digest` names their content."""

    uri: str
    digest: str


def publish_source(directory: Path, objects: ObjectStore, bucket: str) -> Source:
    """Upload the training source when this content is not there yet.

    The marker is written after all files, so a source without one is uploaded again; two at the same time
    write the same bytes to the same keys.

    Raises
    ------
    TrainingError
        If the directory has no `train.py`.
    """
    if not (directory / "train.py").is_file():
        raise TrainingError(f"{directory} does not contain a training source: train.py is missing.")
    digest = source_digest(directory)
    marker = ObjectRef(bucket, f"code/{digest}{_MARKER_SUFFIX}")
    if not objects.exists(marker):
        _upload(directory, objects, bucket, f"code/{digest}")
        objects.write(marker, digest.encode(), "text/plain")
    return Source(f"s3://{bucket}/code/{digest}/", digest)


def source_digest(directory: Path) -> str:
    """Return the digest over the sorted relative paths and the bytes of all files."""
    digest = hashlib.sha256()
    for relative in _files(directory):
        with (directory / relative).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{relative}\0{content}\n".encode())
    return digest.hexdigest()


def _upload(directory: Path, objects: ObjectStore, bucket: str, prefix: str) -> None:
    """Upload all files; one by one the first training after a deployment would wait for 700 requests."""

    def upload(relative: str) -> None:
        content_type = mimetypes.guess_type(relative)[0] or "application/octet-stream"
        objects.upload(directory / relative, ObjectRef(bucket, f"{prefix}/{relative}"), content_type)

    deque(in_parallel(upload, _files(directory)), maxlen=0)


def _files(directory: Path) -> list[str]:
    return sorted(
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and not any(part in _LEFT_OUT for part in path.parts)
    )
