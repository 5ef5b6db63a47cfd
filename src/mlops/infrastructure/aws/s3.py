"""Objects in Amazon S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectFacts, ObjectRef

DOWNLOAD_SECONDS = 300

_MISSING = ("404", "NoSuchKey", "NoSuchVersion", "NotFound")
# Copying the tags of a dropped file (the default) needs s3:GetObjectTagging and s3:PutObjectTagging;
# replacing them by none needs neither, and rules that depend on a person's tags do not apply to the copy.
_WITHOUT_TAGS = {"TaggingDirective": "REPLACE"}


class S3Objects:
    """`ObjectStore` over S3; buckets must have versioning switched on."""

    def __init__(self, s3: Any = None) -> None:
        self._s3 = s3 or client("s3")

    def head(self, ref: ObjectRef) -> ObjectFacts:
        """Return the facts of that version, or of the newest."""
        with _miss_as_not_found(ref):
            answer = self._s3.head_object(**_address(ref))
        version = answer.get("VersionId") or ref.version_id
        newest = ObjectRef(ref.bucket, ref.key, version)
        size, metadata = int(answer["ContentLength"]), answer.get("Metadata") or {}
        return ObjectFacts(newest, size, answer["LastModified"], metadata)

    def read(self, ref: ObjectRef) -> bytes:
        """Return the whole content."""
        with self.open(ref) as stream:
            return stream.read()

    @contextmanager
    def open(self, ref: ObjectRef) -> Iterator[BinaryIO]:
        """Open the content as a stream, read once from start to end."""
        with _miss_as_not_found(ref):
            body = self._s3.get_object(**_address(ref))["Body"]
        with closing(body):
            yield body

    def download(self, ref: ObjectRef, path: Path) -> None:
        """Write the content to a local file."""
        extra = {"VersionId": ref.version_id} if ref.version_id else None
        with _miss_as_not_found(ref):
            self._s3.download_file(ref.bucket, ref.key, str(path), ExtraArgs=extra)

    def download_range(self, ref: ObjectRef, path: Path, start: int, stop: int) -> None:
        """Write some bytes of the content to a local file."""
        with _miss_as_not_found(ref):
            body = self._s3.get_object(**_address(ref), Range=f"bytes={start}-{stop - 1}")["Body"]
        with closing(body), path.open("wb") as file:
            shutil.copyfileobj(body, file)

    def write(self, ref: ObjectRef, content: bytes, content_type: str) -> ObjectRef:
        """Store the content."""
        answer = self._s3.put_object(Bucket=ref.bucket, Key=ref.key, Body=content, ContentType=content_type)
        return ObjectRef(ref.bucket, ref.key, answer.get("VersionId"))

    def upload(
        self, path: Path, ref: ObjectRef, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> ObjectRef:
        """Store a local file, in parts when it is large."""
        extra = {"ContentType": content_type, **({"Metadata": dict(metadata)} if metadata else {})}
        self._s3.upload_file(str(path), ref.bucket, ref.key, ExtraArgs=extra)
        return self.head(ObjectRef(ref.bucket, ref.key)).ref

    def copy(
        self, source: ObjectRef, target: ObjectRef, metadata: Mapping[str, str] | None = None
    ) -> ObjectRef:
        """Copy that version of `source`, without its tags and without moving the bytes through here."""
        own = {"MetadataDirective": "REPLACE", "Metadata": dict(metadata)} if metadata is not None else {}
        with _miss_as_not_found(source):
            self._s3.copy(_address(source), target.bucket, target.key, ExtraArgs={**_WITHOUT_TAGS, **own})
        return self.head(ObjectRef(target.bucket, target.key)).ref

    def delete(self, ref: ObjectRef) -> None:
        """Remove exactly that version."""
        self._s3.delete_object(**_address(ref))

    def exists(self, ref: ObjectRef) -> bool:
        """Return whether the object (or that version) exists."""
        try:
            self.head(ref)
        except ObjectNotFoundError:
            return False
        return True

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectFacts]:
        """Yield the newest version of every object under the prefix, in key order, all pages."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield ObjectFacts(ObjectRef(bucket, entry["Key"]), int(entry["Size"]), entry["LastModified"])

    def list_versions(self, bucket: str) -> Iterator[ObjectFacts]:
        """Yield every version of every object that is not deleted, in key order, all pages."""
        deleted: set[str] = set()
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            # of a deleted key the marker comes first, but its versions may go on into the next page
            marked = {marker["Key"] for marker in page.get("DeleteMarkers", ()) if marker["IsLatest"]}
            deleted = marked | (deleted & {page.get("KeyMarker")})
            for entry in page.get("Versions", ()):
                if entry["Key"] not in deleted:
                    ref = ObjectRef(bucket, entry["Key"], entry["VersionId"])
                    yield ObjectFacts(ref, int(entry["Size"]), entry["LastModified"])

    def list_history(self, bucket: str, prefix: str) -> Iterator[ObjectFacts]:
        """Yield every version of every object under the prefix, deleted ones too, in key order, all pages."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for entry in (entry for page in pages for entry in page.get("Versions", ())):
            ref = ObjectRef(bucket, entry["Key"], entry["VersionId"])
            yield ObjectFacts(ref, int(entry["Size"]), entry["LastModified"])


def download_address(ref: ObjectRef, file_name: str, *, s3: Any = None) -> str:
    """Return an address that downloads that version of an object under a name, for five minutes.

    The name must be ASCII, without quotes.
    """
    # version 4 in every region: objects may be encrypted with a key of KMS
    return str(
        (s3 or client("s3", "s3v4")).generate_presigned_url(
            "get_object",
            Params={**_address(ref), "ResponseContentDisposition": f'attachment; filename="{file_name}"'},
            ExpiresIn=DOWNLOAD_SECONDS,
        )
    )


def _address(ref: ObjectRef) -> dict[str, str]:
    version = {"VersionId": ref.version_id} if ref.version_id else {}
    return {"Bucket": ref.bucket, "Key": ref.key, **version}


@contextmanager
def _miss_as_not_found(ref: ObjectRef) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) not in _MISSING:
            raise
        version = f" in version {ref.version_id}" if ref.version_id else ""
        raise ObjectNotFoundError(f"{ref.uri} does not exist{version}.") from error
