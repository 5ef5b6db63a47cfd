"""The registry's state in plain files, with the guarantees of the table, also between processes.

    <root>/<group>/.lock                  held shared by readers, exclusively by the writer
    <root>/<group>/changes/00000007.json  one committed change; the file's appearance is the commit
    <root>/<group>/head.json              \
    <root>/<group>/versions/v1.0.1.json     > what the changes add up to, rewritten after each commit
    <root>/<group>/jobs/<sha256>          /

A writer that dies after its commit leaves the second half behind by one change; whoever comes next brings it
up to date first.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.infrastructure.durable_files import write_whole
from mlops.models.errors import RegistryConflictError, TransitionNotAllowedError
from mlops.models.registry import AuditEntry, GroupState, ModelMetadata
from mlops.registry.lifecycle import next_status
from mlops.registry.store import Change

type Write = Callable[[Path, bytes], None]


class FilesystemRegistry:
    """`RegistryStore` in a directory of a local, POSIX file system; `write` puts one whole file in place."""

    def __init__(self, root: Path, *, write: Write = write_whole) -> None:
        self._root = root
        self._write = write

    def groups(self) -> list[str]:
        """Return the names of the groups that have a version, sorted."""
        return sorted(path.parent.parent.name for path in self._root.glob("*/changes/00000001.json"))

    def head(self, group: str) -> GroupState | None:
        """Return the head of the group."""
        with self._reading(group) as folder:
            return _read_head(folder)

    def version(self, group: str, version: str) -> ModelMetadata | None:
        """Return the version of that name."""
        with self._reading(group) as folder:
            return _read_version(folder, version)

    def versions(self, group: str) -> list[ModelMetadata]:
        """Return all versions of the group by rising number."""
        with self._reading(group) as folder:
            models = [ModelMetadata.from_json(path.read_bytes()) for path in _documents(folder / "versions")]
        return sorted(models, key=lambda model: model.number)

    def audit(self, group: str) -> list[AuditEntry]:
        """Return all entries of the group by rising revision."""
        with self._reading(group) as folder:
            return [Change.from_json(path.read_bytes()).entry for path in _documents(folder / "changes")]

    def version_of_job(self, group: str, job_key: str) -> str | None:
        """Return the name of the version that was registered under the key."""
        with self._reading(group) as folder:
            path = _job_path(folder, job_key)
            return path.read_text().strip() if path.exists() else None

    def commit(self, change: Change) -> None:
        """Write the change under the group's lock."""
        folder = self._root / change.group
        for name in ("changes", "versions", "jobs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with _locked(folder, fcntl.LOCK_EX):
            _catch_up(folder, self._write)
            _check(folder, change)
            self._write(_change_path(folder, change.after.revision), change.to_json().encode())
            _apply(folder, change, self._write)

    @contextmanager
    def _reading(self, group: str) -> Iterator[Path]:
        """Hold the group still while it is read, after finishing what a dead writer left undone."""
        folder = self._root / group
        if not folder.is_dir():
            yield folder
            return
        with _locked(folder, fcntl.LOCK_SH):
            if not _is_behind(folder):
                yield folder
                return
        with _locked(folder, fcntl.LOCK_EX):
            _catch_up(folder, self._write)
            yield folder


@contextmanager
def _locked(folder: Path, mode: int) -> Iterator[None]:
    with (folder / ".lock").open("a") as stream:
        fcntl.flock(stream, mode)
        yield  # closing the file releases the lock, also when the process dies


def _check(folder: Path, change: Change) -> None:
    holds = _read_head(folder) == change.before
    if change.job_key is not None:
        holds = holds and not _job_path(folder, change.job_key).exists()
    for write in change.writes:
        stored = _read_version(folder, write.model.version)
        try:
            next_status(write.action, stored.status if stored else None)
        except TransitionNotAllowedError:
            holds = False
    if not holds:
        raise RegistryConflictError(f"The group {change.group} was changed by somebody else.")


def _is_behind(folder: Path) -> bool:
    return _next_change(folder).exists()


def _catch_up(folder: Path, write: Write) -> None:
    while _is_behind(folder):
        _apply(folder, Change.from_json(_next_change(folder).read_bytes()), write)


def _next_change(folder: Path) -> Path:
    head = _read_head(folder)
    return _change_path(folder, (head.revision if head else 0) + 1)


def _apply(folder: Path, change: Change, write: Write) -> None:
    """Bring versions and jobs up to the change, and the head last: until then it counts as not applied."""
    for version in change.writes:
        write(_version_path(folder, version.model.version), version.model.to_json().encode())
    if change.job_key is not None:
        write(_job_path(folder, change.job_key), f"{change.entry.version}\n".encode())
    write(folder / "head.json", change.after.to_json().encode())


def _read_head(folder: Path) -> GroupState | None:
    path = folder / "head.json"
    return GroupState.from_json(path.read_bytes()) if path.exists() else None


def _read_version(folder: Path, version: str) -> ModelMetadata | None:
    path = _version_path(folder, version)
    return ModelMetadata.from_json(path.read_bytes()) if path.exists() else None


def _documents(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def _change_path(folder: Path, revision: int) -> Path:
    return folder / "changes" / f"{revision:08d}.json"


def _version_path(folder: Path, version: str) -> Path:
    return folder / "versions" / f"{version}.json"


def _job_path(folder: Path, job_key: str) -> Path:
    return folder / "jobs" / hashlib.sha256(job_key.encode()).hexdigest()
