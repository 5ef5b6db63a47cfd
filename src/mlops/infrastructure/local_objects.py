"""Objects as plain files: for work without AWS, and for tests."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectFacts, ObjectRef


class FilesystemObjects:
    """`ObjectStore` in a directory: `<bucket>/<quoted key>/<number>-<digest>` holds one version."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def head(self, ref: ObjectRef) -> ObjectFacts:
        """Return the facts of that version, or of the newest."""
        path = self._version(ref)
        return _facts(ObjectRef(ref.bucket, ref.key, path.name), path)

    def read(self, ref: ObjectRef) -> bytes:
        """Return the whole content."""
        return self._version(ref).read_bytes()

    @contextmanager
    def open(self, ref: ObjectRef) -> Iterator[BinaryIO]:
        """Open the content as a stream."""
        with self._version(ref).open("rb") as stream:
            yield stream

    def download(self, ref: ObjectRef, path: Path) -> None:
        """Write the content to a local file."""
        shutil.copyfile(self._version(ref), path)

    def download_range(self, ref: ObjectRef, path: Path, start: int, stop: int) -> None:
        """Write some bytes of the content to a local file."""
        with self.open(ref) as stream:
            stream.seek(start)
            path.write_bytes(stream.read(stop - start))

    def write(self, ref: ObjectRef, content: bytes, content_type: str) -> ObjectRef:  # noqa: ARG002
        """Store the content."""
        folder = self._folder(ref)
        folder.mkdir(parents=True, exist_ok=True)
        # one more than the last number, not the count: versions may have been deleted
        number = max((int(path.name.split("-")[0]) + 1 for path in folder.iterdir()), default=0)
        version = f"{number:08d}-{hashlib.sha256(content).hexdigest()[:12]}"
        (folder / version).write_bytes(content)
        return ObjectRef(ref.bucket, ref.key, version)

    def upload(
        self,
        path: Path,
        ref: ObjectRef,
        content_type: str,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> ObjectRef:
        """Store a local file."""
        return self.write(ref, path.read_bytes(), content_type)

    def copy(
        self,
        source: ObjectRef,
        target: ObjectRef,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> ObjectRef:
        """Copy that version of `source`."""
        return self.write(target, self.read(source), "")

    def delete(self, ref: ObjectRef) -> None:
        """Remove exactly that version."""
        if self.exists(ref):
            self._version(ref).unlink()

    def exists(self, ref: ObjectRef) -> bool:
        """Return whether the object (or that version) exists."""
        try:
            self._version(ref)
        except ObjectNotFoundError:
            return False
        return True

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectFacts]:
        """Yield the newest version of every object under the prefix, in key order."""
        for key in self._keys(bucket, prefix):
            ref = ObjectRef(bucket, key)
            if versions := self._versions(ref):
                yield _facts(ref, versions[-1])

    def list_versions(self, bucket: str) -> Iterator[ObjectFacts]:
        """Yield every version of every object, in key order; here a deleted version leaves no marker."""
        return self.list_history(bucket, "")

    def list_history(self, bucket: str, prefix: str) -> Iterator[ObjectFacts]:
        """Yield every version of every object under the prefix, in key order."""
        for key in self._keys(bucket, prefix):
            for path in self._versions(ObjectRef(bucket, key)):
                yield _facts(ObjectRef(bucket, key, path.name), path)

    def _keys(self, bucket: str, prefix: str) -> Sequence[str]:
        """Return the keys under the prefix, in order; only their names are unquoted."""
        folder, start = self._root / bucket, quote(prefix, safe="")
        names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  a path for each name takes longer
        return sorted(unquote(name) for name in names if name.startswith(start))

    def _folder(self, ref: ObjectRef) -> Path:
        return self._root / ref.bucket / quote(ref.key, safe="")

    def _version(self, ref: ObjectRef) -> Path:
        matches = [path for path in self._versions(ref) if ref.version_id in (None, path.name)]
        if not matches:
            raise ObjectNotFoundError(f"{ref.uri} does not exist.")
        return matches[-1]

    def _versions(self, ref: ObjectRef) -> Sequence[Path]:
        """Return the files of all versions, the oldest first."""
        folder = self._folder(ref)
        return sorted(folder.iterdir()) if folder.is_dir() else []


def _facts(ref: ObjectRef, path: Path) -> ObjectFacts:
    status = path.stat()
    return ObjectFacts(ref, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
