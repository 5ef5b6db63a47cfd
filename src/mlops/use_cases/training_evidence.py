"""The documents of a training job: read from its `output.tar.gz` with checks, stored with the version."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError
from mlops.models.objects import ObjectRef
from mlops.pipelines.artifact_files import (
    BASELINE,
    EVALUATION_DETAILS,
    MANIFEST,
    METRICS,
    SCHEMA,
    TRAINING_RESULT,
)

EXPECTED_FILENAMES = frozenset({BASELINE, EVALUATION_DETAILS, MANIFEST, METRICS, SCHEMA, TRAINING_RESULT})
_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
MAX_DOCUMENT_BYTES = 64 * 1024**2
MAX_MEMBERS = 1_000
MAX_UNPACKED_BYTES = 512 * 1024**2


def read_evidence(output: ObjectRef, objects: ObjectStore) -> dict[str, bytes]:
    """Return the expected documents of an archive by name; nothing is written to disk, other members are
    skipped.

    Raises
    ------
    ArtifactError
        If the archive is damaged, contains a link, a device, a document twice or too much data, or does not
        contain the training result.
    """
    try:
        with objects.open(output) as stream, tarfile.open(fileobj=stream, mode="r|gz") as archive:
            documents = _read_members(archive)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ArtifactError(f"{output.uri} is not a readable tar.gz: {error}") from error
    if TRAINING_RESULT not in documents:
        raise ArtifactError(f"{output.uri} has no {TRAINING_RESULT}; the training job did not finish.")
    return documents


def keep_evidence(documents: Mapping[str, bytes], folder_uri: str, objects: ObjectStore) -> None:
    """Write the documents into the folder of the version; existing ones are not changed."""
    for name, content in sorted(documents.items()):
        ref = ObjectRef.from_uri(f"{folder_uri}/{name}")
        if not objects.exists(ref):
            objects.write(ref, content, _CONTENT_TYPES[PurePosixPath(name).suffix])


def _read_members(archive: tarfile.TarFile) -> dict[str, bytes]:
    documents: dict[str, bytes] = {}
    unpacked_bytes = 0
    for count, member in enumerate(archive, start=1):
        unpacked_bytes += member.size
        if count > MAX_MEMBERS or unpacked_bytes > MAX_UNPACKED_BYTES:
            raise ArtifactError("The training output is too large when it is unpacked.")
        name = _document_name(member)
        if name is None:
            continue
        if name in documents or member.size > MAX_DOCUMENT_BYTES:
            raise ArtifactError(f"The training output has {name} twice, or too large.")
        content = archive.extractfile(member)
        documents[name] = content.read() if content else b""
    return documents


def _document_name(member: tarfile.TarInfo) -> str | None:
    """Return the name of an expected document, which is at the top level or under `data/`."""
    parts = PurePosixPath(member.name).parts
    name = parts[-1] if parts else ""
    is_at_top = len(parts) == 1 or parts[:-1] == ("data",)
    if name not in EXPECTED_FILENAMES or not is_at_top:
        return None
    if not member.isreg():
        raise ArtifactError(f"{name} in the training output is a link or a device, not a file.")
    return name
