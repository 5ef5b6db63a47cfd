"""The records of the batches in the ledger, in the registry's table.

Items of a group share the partition `LEDGER#<group>`: `BATCH#<date>#<id>` for each scored file, one of these
for all requests of a day and version, `REMOVED#<date>#<id>#<row>` for each row of a request that was removed,
and `CHANGE`, which only one run that changes stored files may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from uuid import uuid4

from mlops.infrastructure.contention import write_surely
from mlops.infrastructure.table import Absent, OneOf, Put, SetAttribute, Table
from mlops.models.errors import LedgerError
from mlops.models.record import Record

# longer than a function may run; after it a run that was killed no longer keeps others out
LONGEST_CHANGE = timedelta(hours=1)
_CHANGE = "CHANGE"
REQUEST_PREFIX = "request-"  # of the id of a request
_REQUESTS = "requests-"  # of the id of all requests of a day and version
_MAX_ATTEMPTS = 10
_MAX_WRITES = 100  # in one transaction


def batch_id_of_day(model_version: str) -> str:
    """Return the id under which the requests of a day are recorded that a version answered."""
    return f"{_REQUESTS}{model_version}"


@dataclass(frozen=True, slots=True)
class ScoredBatch(Record):
    """A batch that was scored and delivered: what the ledger keeps of it beside its rows."""

    group: str
    batch_id: str
    file: str
    model_version: str
    scored_at: datetime
    input_digest: str | None = None

    @property
    def batch_date(self) -> date:
        """The day on which it was scored, in UTC."""
        return self.scored_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class RecordedBatch(Record):
    """A batch in the ledger; `id_columns` and `classes` are the keys of its ids and probabilities.

    For the requests of a day and version, `n_rows` is the number of all their rows, and the batch has the
    time of the last one. A message that came again may be counted twice until the files of the day are
    merged. Rows that were removed later may be counted.
    """

    batch: ScoredBatch
    n_rows: int
    id_columns: tuple[str, ...]
    classes: tuple[str, ...]
    schema_version: int


class LedgerBatches:
    """The batches of all groups, each recorded once."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, batch: ScoredBatch) -> RecordedBatch | None:
        """Return the record of a batch, None before it is in the ledger."""
        item = self._table.get(_partition(batch.group), _batch_key(batch))
        return RecordedBatch.from_json(item["document"]) if item else None

    def record(self, recorded: RecordedBatch) -> RecordedBatch:
        """Record that the rows of a batch are stored; return the first record when there was one."""
        keys = {"pk": _partition(recorded.batch.group), "sk": _batch_key(recorded.batch)}
        self._table.write(Put({**keys, "document": recorded.to_json()}, Absent()))
        return self.find(recorded.batch) or recorded

    def extend(self, recorded: RecordedBatch, *, is_repeated: bool = False) -> None:
        """Record that rows were added to a batch that grows.

        Their number, and the names of new ids and classes, are added to the record. The number is not, when
        the rows were stored before (`is_repeated`).

        Raises
        ------
        LedgerError
            If others change the record all the time.
        """
        keys = {"pk": _partition(recorded.batch.group), "sk": _batch_key(recorded.batch)}
        for _ in range(_MAX_ATTEMPTS):
            stored = self.find(recorded.batch)
            n_rows = 0 if is_repeated else recorded.n_rows
            extended = _together(stored, recorded, n_rows) if stored else recorded
            if extended == stored:
                return
            condition = OneOf("document", (stored.to_json(),)) if stored else Absent()
            if self._table.write(Put({**keys, "document": extended.to_json()}, condition)):
                return
        raise LedgerError(f"The record of {recorded.batch.batch_id} could not be changed; try again.")

    def of_requests(self, group: str, batch_date: date, model_version: str) -> RecordedBatch | None:
        """Return the record of the requests of a day that a version answered."""
        item = self._table.get(_partition(group), _key(batch_date, batch_id_of_day(model_version)))
        return RecordedBatch.from_json(item["document"]) if item else None

    def recount(self, recorded: RecordedBatch, n_rows: int) -> None:
        """Record how many rows a batch has; nothing is changed when its record is not this one any more."""
        if n_rows != recorded.n_rows:
            keys = {"pk": _partition(recorded.batch.group), "sk": _batch_key(recorded.batch)}
            counted = replace(recorded, n_rows=n_rows).to_json()
            self._table.write(Put({**keys, "document": counted}, OneOf("document", (recorded.to_json(),))))

    def newest(self, group: str, n: int) -> list[RecordedBatch]:
        """Return the `n` batches of a group that were scored last, the newest first."""
        batches: list[RecordedBatch] = []
        for item in self._table.query(_partition(group), "BATCH#", newest_first=True):
            recorded = RecordedBatch.from_json(item["document"])
            # the keys of one day are in no order of time, so a day is read to its end
            if len(batches) >= n and recorded.batch.batch_date < batches[-1].batch.batch_date:
                break
            batches.append(recorded)
        return sorted(batches, key=lambda each: each.batch.scored_at, reverse=True)[:n]

    def list(self, group: str, since: date | None = None) -> tuple[RecordedBatch, ...]:
        """Return the batches of a group since a day, oldest first."""
        batches = []
        for item in self._table.query(_partition(group), "BATCH#", newest_first=True):
            recorded = RecordedBatch.from_json(item["document"])
            if since is not None and recorded.batch.batch_date < since:
                break
            batches.append(recorded)
        return tuple(reversed(batches))

    def keep_out(self, group: str, batch_date: date, rows: Iterable[tuple[str, str]]) -> None:
        """Record rows of requests of a day, each a batch id and a row, that must not be stored again."""
        keys = [{"pk": _partition(group), "sk": f"{_removed(batch_date)}{b}#{row}"} for b, row in rows]
        for some in batched(keys, _MAX_WRITES):
            write_surely(self._table, *map(Put, some))

    def kept_out(self, group: str, batch_date: date) -> frozenset[tuple[str, str]]:
        """Return the rows of requests of a day that must not be stored again."""
        prefix = _removed(batch_date)
        keys = [item["sk"].removeprefix(prefix) for item in self._table.query(_partition(group), prefix)]
        parts = (key.rpartition("#") for key in keys)
        return frozenset((batch_id, row) for batch_id, _, row in parts)

    @contextmanager
    def change(self, group: str, now: datetime, run: str | None = None) -> Iterator[None]:
        """Keep other runs from changing the stored files of a group.

        Parameters
        ----------
        run
            The name of the run: it may go on after it was killed. By default a name that no other run has.

        Raises
        ------
        LedgerError
            If another run changes them.
        """
        run = run or uuid4().hex
        stored = self._table.get(_partition(group), _CHANGE)
        if stored and stored["run"] not in ("", run) and now < datetime.fromisoformat(stored["until"]):
            raise _busy(group, stored["until"])
        until = (now + LONGEST_CHANGE).isoformat()
        item = {"pk": _partition(group), "sk": _CHANGE, "run": run, "until": until}
        if not self._table.write(Put(item, OneOf("run", (stored["run"],)) if stored else Absent())):
            raise _busy(group, until)
        try:
            yield
        finally:
            self._table.write(SetAttribute(_partition(group), _CHANGE, "run", ""))


def _together(stored: RecordedBatch, added: RecordedBatch, n_rows: int) -> RecordedBatch:
    last = max(stored.batch, added.batch, key=lambda batch: batch.scored_at)
    return replace(
        stored,
        batch=replace(stored.batch, scored_at=last.scored_at),
        n_rows=stored.n_rows + n_rows,
        id_columns=tuple(dict.fromkeys((*stored.id_columns, *added.id_columns))),
        classes=tuple(dict.fromkeys((*stored.classes, *added.classes))),
    )


def _busy(group: str, until: str) -> LedgerError:
    return LedgerError(
        f"Another run changes the ledger of {group}; try again later, after {until} at the latest."
    )


def _partition(group: str) -> str:
    return f"LEDGER#{group}"


def _removed(batch_date: date) -> str:
    return f"REMOVED#{batch_date.isoformat()}#"


def _batch_key(batch: ScoredBatch) -> str:
    return _key(batch.batch_date, batch.batch_id)


def _key(batch_date: date, batch_id: str) -> str:
    return f"BATCH#{batch_date.isoformat()}#{batch_id}"
