"""The records of runs in a table, and where the files of each run are.

Items of a group share the partition `GROUP#<group>`: `RUN#<started_at>#<run_id>` holds the record and
`RUNID#<run_id>` its sort key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from itertools import islice

from mlops.experiment.files import RunFiles
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.table import (
    Absent,
    Item,
    OneOf,
    Put,
    SetAttribute,
    Table,
    document_attributes,
    document_of,
)
from mlops.models.errors import RegistryConflictError, RunNotFoundError
from mlops.models.experiment import Run
from mlops.models.settings.nearest import nearest

_NAMED_RUNS = 200


class RunStore:
    """Records of runs. Every read sees every write that ended before it began.

    Parameters
    ----------
    files
        Returns the files of a run from its group and id, whether or not it has any.
    mirror
        Gets each run after it was added or changed, with its files; it must not raise.
    """

    def __init__(
        self,
        table: Table,
        files: Callable[[str, str], RunFiles],
        *,
        backoff: Backoff | None = None,
        mirror: Callable[[Run, RunFiles], None] | None = None,
    ) -> None:
        self._table = table
        self.files = files
        self._backoff = backoff or Backoff()
        self._mirror = mirror

    def groups(self) -> list[str]:
        """Return the names of the groups that have a run, sorted."""
        return [item["sk"] for item in self._table.query("GROUPS") if item.get("has_runs")]

    def add(self, run: Run) -> Run:
        """Store a new run and return it; a run with the same id that exists stays and is returned."""

        def attempt() -> Run:
            stored = self.find(run.group, run.run_id)
            if stored is None and not self._create(run):
                raise RegistryConflictError(f"The run {run.run_id} was added by someone else.")
            return stored or run

        return self._mirrored(self._backoff.run(attempt))

    def find(self, group: str, run_id: str) -> Run | None:
        """Return the run; None when it does not exist."""
        pointer = self._table.get(_partition(group), _pointer_key(run_id))
        item = pointer and self._table.get(_partition(group), pointer["run"])
        return Run.from_json(document_of(item)) if item else None

    def runs(self, group: str) -> Iterator[Run]:
        """Yield the runs of the group, the last started first, equal times by falling id."""
        for item in self._table.query(_partition(group), "RUN#", newest_first=True):
            yield Run.from_json(document_of(item))

    def update(self, group: str, run_id: str, change: Callable[[Run], Run]) -> Run:
        """Replace the run by `change(run)` in one step, and return it with its revision raised by one.

        `change` is called again after a conflict with another writer, so it must only compute. It must not
        change `run_id`, `group` and `started_at`. What it raises is passed on and nothing is written.

        Raises
        ------
        RunNotFoundError
            If the run does not exist.
        """

        def attempt() -> Run:
            before = self.find(group, run_id)
            if before is None:
                raise self.missing_run(group, run_id)
            after = replace(change(before), revision=before.revision + 1)
            if not self._table.write(Put(_item(after), OneOf("revision", (before.revision,)))):
                raise RegistryConflictError(f"The run {run_id} was changed by someone else.")
            return after

        return self._mirrored(self._backoff.run(attempt))

    def missing_run(self, group: str, run_id: str) -> RunNotFoundError:
        """Return the error for a run that does not exist; it names the nearest one that does."""
        run_ids = [run.run_id for run in islice(self.runs(group), _NAMED_RUNS)]
        if not run_ids:
            groups = self.groups()
            proposal = nearest(group, groups) if groups else "No group has one."
            return RunNotFoundError(f"The group {group!r} has no run yet. {proposal}")
        hint = f"{nearest(run_id, run_ids)} The newest is {run_ids[0]}."
        return RunNotFoundError(f"{group} has no run {run_id!r}. {hint}")

    def _mirrored(self, run: Run) -> Run:
        if self._mirror is not None:
            self._mirror(run, self.files(run.group, run.run_id))
        return run

    def _create(self, run: Run) -> bool:
        pointer = {"pk": _partition(run.group), "sk": _pointer_key(run.run_id), "run": _run_key(run)}
        return self._table.write(
            Put(_item(run), Absent()),
            Put(pointer, Absent()),
            # the registry may have listed the group already, so this has no condition
            SetAttribute("GROUPS", run.group, "has_runs", value=True),
        )


def _item(run: Run) -> Item:
    keys = {"pk": _partition(run.group), "sk": _run_key(run)}
    document = document_attributes(run.to_json())
    return {**keys, "revision": run.revision, "status": run.status.value, **document}


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _pointer_key(run_id: str) -> str:
    return f"RUNID#{run_id}"


def _run_key(run: Run) -> str:
    """Name the run so that the order of the names is the order of the starts."""
    started_at = run.started_at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"RUN#{started_at}#{run.run_id}"
