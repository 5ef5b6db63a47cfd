"""The files of runs: metrics in chunks and artifacts, in a directory or in a bucket."""

from __future__ import annotations

import mimetypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef

_DRAFT_PREFIX = ".draft-"


class RunFiles(Protocol):
    """The files of one run. Paths are relative with forward slashes; a second write replaces the first."""

    def write(self, path: str, content: bytes) -> str:
        """Store the content whole or not at all, and return its address."""

    def upload(self, local: Path, path: str) -> str:
        """Store a local file whole or not at all, and return its address."""

    def read(self, path: str) -> bytes:
        """Return the content.

        Raises
        ------
        ObjectNotFoundError
            If the file does not exist.
        """

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted."""


class LocalRunFiles:
    """`RunFiles` below one directory; addresses are absolute paths."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, path: str, content: bytes) -> str:
        """Store the content."""
        with self._draft(path) as draft:
            draft.write_bytes(content)
        return str((self._root / path).resolve())

    def upload(self, local: Path, path: str) -> str:
        """Store a copy of a local file."""
        with self._draft(path) as draft:
            shutil.copyfile(local, draft)
        return str((self._root / path).resolve())

    def read(self, path: str) -> bytes:
        """Return the content.

        Raises
        ------
        ObjectNotFoundError
            If the file does not exist.
        """
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError as error:
            raise ObjectNotFoundError(f"The run has no file {path}.") from error

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted, without drafts of a writer that died."""
        files = (path for path in self._root.rglob("*") if path.is_file())
        names = (path.relative_to(self._root).as_posix() for path in files if not _is_draft(path))
        return sorted(name for name in names if name.startswith(prefix))

    @contextmanager
    def _draft(self, path: str) -> Iterator[Path]:
        """Give a new file to write to, which then takes its name on the disk in one step."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_DRAFT_PREFIX, dir=target.parent)
        draft = Path(name)
        try:
            draft.chmod(0o644)  # mkstemp makes it private, but the files of a run are for the team
            yield draft
            os.fsync(handle)
            draft.replace(target)
        finally:
            os.close(handle)
            draft.unlink(missing_ok=True)


class ObjectRunFiles:
    """`RunFiles` below one prefix of a bucket; addresses are `s3://` ones."""

    def __init__(self, objects: ObjectStore, bucket: str, prefix: str) -> None:
        self._objects = objects
        self._bucket = bucket
        self._prefix = prefix

    def write(self, path: str, content: bytes) -> str:
        """Store the content."""
        return self._objects.write(self._ref(path), content, _content_type(path)).uri

    def upload(self, local: Path, path: str) -> str:
        """Store a local file."""
        return self._objects.upload(local, self._ref(path), _content_type(path)).uri

    def read(self, path: str) -> bytes:
        """Return the content.

        Raises
        ------
        ObjectNotFoundError
            If the file does not exist.
        """
        return self._objects.read(self._ref(path))

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted."""
        objects = self._objects.list(self._bucket, self._prefix + prefix)
        return sorted(facts.ref.key.removeprefix(self._prefix) for facts in objects)

    def _ref(self, path: str) -> ObjectRef:
        return ObjectRef(self._bucket, self._prefix + path)


def _is_draft(path: Path) -> bool:
    return path.name.startswith(_DRAFT_PREFIX)


def _content_type(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
