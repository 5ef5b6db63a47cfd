"""Digests of model artifacts: what the registry promises about the bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact, ObjectRef


def describe_artifact(path: str, *, objects: ObjectStore | None = None) -> Artifact:
    """Return where the artifact is and the digest of its bytes, read in blocks.

    `path` is a local file, a local directory or an `s3://` address; of the last, the newest version is taken
    and named in the result.

    Raises
    ------
    ArtifactError
        If there is nothing at a local path.
    ObjectNotFoundError
        If the object does not exist.
    """
    if path.startswith("s3://"):
        return describe_object(ObjectRef.from_uri(path), objects or s3_objects())
    local = Path(path)
    if local.is_file():
        return Artifact(str(local.resolve()), _digest_file(local))
    if local.is_dir():
        return Artifact(str(local.resolve()), _digest_directory(local))
    raise ArtifactError(f"There is no model artifact at {path}; train a model there first.")


def describe_object(ref: ObjectRef, objects: ObjectStore) -> Artifact:
    """Return the digest of one version of an object (the newest, when `ref` names none)."""
    exact = objects.head(ref).ref
    with objects.open(exact) as stream:
        return Artifact(exact.uri, digest_stream(stream), exact.version_id)


def digest_stream(stream: BinaryIO) -> str:
    """Return the SHA-256 of the rest of a stream, in hex."""
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _digest_file(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_stream(stream)


def _digest_directory(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise ArtifactError(f"The directory {folder} is empty; train a model there first.")
    lines = (f"{_digest_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def s3_objects() -> ObjectStore:
    """Return the objects in S3; boto3 is imported only now."""
    from mlops.infrastructure.aws.s3 import S3Objects  # noqa: PLC0415  see clients.py

    return S3Objects()
