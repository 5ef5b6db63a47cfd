"""Runs in plain files, safe between processes.

<root>/<group>/<run_id>/run.json     the record; it appears whole, and is replaced whole
<root>/<group>/<run_id>/.lock        held by whoever changes it
<root>/<group>/<run_id>/files/...    metrics by the chunk, artifacts
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mlops.experiment.names import missing_run
from mlops.infrastructure.durable_files import draft, is_draft, write_durably, write_whole
from mlops.models.errors import ObjectNotFoundError
from mlops.models.experiment import Run

_RECORD = "run.json"


class FilesystemRuns:
    """`RunStore` in a directory of a local, POSIX file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def groups(self) -> list[str]:
        """Return the names of the groups that have a run, sorted."""
        return sorted({path.parent.parent.name for path in self._root.glob(f"*/*/{_RECORD}")})

    def add(self, run: Run) -> Run:
        """Store a new run; a link to a finished draft appears whole, and only where nothing is."""
        folder = self._folder(run.group, run.run_id)
        folder.mkdir(parents=True, exist_ok=True)
        with draft(folder) as unfinished:
            write_durably(unfinished, run.to_json().encode())
            with suppress(FileExistsError):
                (folder / _RECORD).hardlink_to(unfinished)
        return _read(folder / _RECORD)

    def find(self, group: str, run_id: str) -> Run | None:
        """Return the run."""
        path = self._folder(group, run_id) / _RECORD
        return _read(path) if path.is_file() else None

    def runs(self, group: str) -> Iterator[Run]:
        """Yield the runs of the group, the last started first."""
        runs = [_read(path) for path in (self._root / group).glob(f"*/{_RECORD}")]
        yield from sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)

    def update(self, group: str, run_id: str, change: Callable[[Run], Run]) -> Run:
        """Replace the run under its lock, so that `change` is called once."""
        folder = self._folder(group, run_id)
        if not (folder / _RECORD).is_file():
            raise missing_run(self, group, run_id)
        with (folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file releases it, also when the process dies
            before = _read(folder / _RECORD)
            after = replace(change(before), revision=before.revision + 1)
            write_whole(folder / _RECORD, after.to_json().encode())
        return after

    def files(self, group: str, run_id: str) -> FilesystemRunFiles:
        """Return the files of a run."""
        return FilesystemRunFiles(self._folder(group, run_id) / "files")

    def _folder(self, group: str, run_id: str) -> Path:
        return self._root / group / run_id


class FilesystemRunFiles:
    """`RunFiles` below one directory; addresses are absolute paths."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, path: str, content: bytes) -> str:
        """Store the content."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
        return str(target.resolve())

    def upload(self, local: Path, path: str) -> str:
        """Store a copy of a local file."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft(target.parent) as unfinished:
            shutil.copyfile(local, unfinished)
            unfinished.replace(target)
        return str(target.resolve())

    def read(self, path: str) -> bytes:
        """Return the content."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError as error:
            raise ObjectNotFoundError(f"The run has no file {path}.") from error

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted."""
        files = (path for path in self._root.rglob("*") if path.is_file() and not is_draft(path))
        paths = (path.relative_to(self._root).as_posix() for path in files)
        return sorted(path for path in paths if path.startswith(prefix))


def _read(path: Path) -> Run:
    return Run.from_json(path.read_bytes())
