"""What the experiments need from whoever keeps them: small records that change, and files that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from mlops.models.experiment import Run


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
            If there is no such file.
        """

    def paths(self, prefix: str) -> list[str]:
        """Return the paths that begin with the prefix, sorted."""


class RunStore(Protocol):
    """Records of runs. Every read sees every write that ended before it began."""

    def groups(self) -> list[str]:
        """Return the names of the groups that have a run, sorted."""

    def add(self, run: Run) -> Run:
        """Store a new run and return it; one with the same id that is there already stays and is returned."""

    def find(self, group: str, run_id: str) -> Run | None:
        """Return the run; None when there is none."""

    def runs(self, group: str) -> Iterator[Run]:
        """Yield the runs of the group, the last started first, equal times by falling id."""

    def update(self, group: str, run_id: str, change: Callable[[Run], Run]) -> Run:
        """Replace the run by `change(run)` in one step, and return it with its revision raised by one.

        `change` is called again when somebody else was faster, so it must do nothing but compute. It must not
        touch `run_id`, `group` and `started_at`. What it raises is passed on and nothing is written.

        Raises
        ------
        RunNotFoundError
            If there is no such run.
        """

    def files(self, group: str, run_id: str) -> RunFiles:
        """Return the files of a run, whether or not it has any."""
