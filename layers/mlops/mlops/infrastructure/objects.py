"""Objects with versions: what the library needs from a bucket, whoever provides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ObjectRef(Record):
    """One object, and one version of it when `version_id` is given."""

    bucket: str
    key: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        """`s3://bucket/key`, without the version."""
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def from_uri(cls, uri: str, version_id: str | None = None) -> ObjectRef:
        """Parse `s3://bucket/key`."""
        parts = urlsplit(uri, allow_fragments=False)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"{uri!r} is not an s3://bucket/key address.")
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.netloc, parts.path.removeprefix("/") + query, version_id)


@dataclass(frozen=True, slots=True)
class ObjectFacts(Record):
    """What is known of an object without reading it.

    `stored_at` is when that version was written, `metadata` what its writer noted beside it; a listing does
    not tell the latter.
    """

    ref: ObjectRef
    size_bytes: int
    stored_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """Versioned object storage. A miss raises `ObjectNotFoundError`; writes always make a new version."""

    def head(self, ref: ObjectRef) -> ObjectFacts:
        """Return the facts of that version, or of the newest; `facts.ref.version_id` is set."""

    def read(self, ref: ObjectRef) -> bytes:
        """Return the whole content; for small documents."""

    def open(self, ref: ObjectRef) -> AbstractContextManager[BinaryIO]:
        """Open the content as a stream, read once from start to end."""

    def download(self, ref: ObjectRef, path: Path) -> None:
        """Write the content to a local file."""

    def write(self, ref: ObjectRef, content: bytes, content_type: str) -> ObjectRef:
        """Store the content; the returned ref names the new version."""

    def upload(self, path: Path, ref: ObjectRef, content_type: str) -> ObjectRef:
        """Store a local file; the returned ref names the new version."""

    def copy(self, source: ObjectRef, target: ObjectRef) -> ObjectRef:
        """Copy that version of `source`; the returned ref names the new version of `target`."""

    def delete(self, ref: ObjectRef) -> None:
        """Remove exactly that version; a version that is gone already is no error."""

    def exists(self, ref: ObjectRef) -> bool:
        """Tell whether the object (or that version) is there."""

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectFacts]:
        """Yield the newest version of every object under the prefix, in key order, all pages."""

    def list_versions(self, bucket: str) -> Iterator[ObjectFacts]:
        """Yield every version of every object that nobody has deleted, in key order, all pages."""
