"""Addresses and facts of stored objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ObjectRef(Record):
    """One object, and one version of it unless `version_id` is None."""

    bucket: str
    key: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        """`s3://bucket/key`, without the version."""
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def from_uri(cls, uri: str, version_id: str | None = None) -> ObjectRef:
        """Parse `s3://bucket/key`.

        Raises
        ------
        ValueError
            If the text is not such an address.
        """
        parts = urlsplit(uri, allow_fragments=False)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"{uri!r} is not an s3://bucket/key address.")
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.netloc, parts.path.removeprefix("/") + query, version_id)


@dataclass(frozen=True, slots=True)
class ObjectFacts(Record):
    """Facts about an object that are read without its content.

    `stored_at` is when that version was written, `metadata` what its writer noted beside it; a listing does
    not tell the latter.
    """

    ref: ObjectRef
    size_bytes: int
    stored_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifact(Record):
    """The bytes of a model: where they are stored and their digest.

    `sha256` is that of the file; of a directory it is the digest over the sorted paths and digests of its
    files. `version_id` is the object's S3 version.
    """

    uri: str
    sha256: str
    version_id: str | None = None
