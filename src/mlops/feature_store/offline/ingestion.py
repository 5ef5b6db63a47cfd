"""The ingestion of a file into a view: checked as a whole, then stored, each row once.

A row is recognised by its keys and its time, and by its created time where the view has one. A row that is
stored already is left out, so the same file twice changes nothing. The files are stored first, then the
record, from which on they count; a run that stops in between is repeated.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView
from mlops.feature_store.offline.files import OfflineStore, rows_of
from mlops.feature_store.offline.staging import first_row, select_new, stage, staged_days
from mlops.feature_store.offline.state import Ingestion
from mlops.feature_store.offline.tables import SourceTable, source_of
from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.duckdb_engine import connect, quoted_name, quoted_text
from mlops.models.errors import RegistryConflictError
from mlops.models.objects import ObjectRef

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_OF_A_GROUP = 20_480


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A CSV or Parquet file to ingest.

    Parameters
    ----------
    name
        What messages and records call it.
    upload_id
        The upload that it came with; an upload is ingested once.
    """

    path: Path
    name: str
    upload_id: str = ""


def ingest(store: OfflineStore, view: FeatureView, file: SourceFile, *, by: str, now: datetime) -> Ingestion:
    """Store the rows of a file that are not stored yet; return the record, also of an earlier time.

    Raises
    ------
    FeatureStoreError
        If a column is missing, a cell is not of its type, a key or a time is missing, a time is in the
        future, or rows contradict each other or stored ones. Nothing is stored then.
    """

    def attempt() -> Ingestion:
        before = store.states.get(view.name)
        if file.upload_id and (earlier := store.states.of_upload(view.name, file.upload_id)):
            return earlier  # of a run that was stopped after it
        with TemporaryDirectory() as folder:
            job = _Job(store, view, file, Path(folder).resolve(), now)
            ingestion, refs = job.run(before.revision + 1, by)
        if not store.states.record(before, ingestion):
            store.remove(refs)
            raise RegistryConflictError(f"{view.name} was changed meanwhile.")
        return ingestion

    return Backoff().run(attempt)


@dataclass(frozen=True, slots=True)
class _Job:
    """One attempt: it reads the file, compares it with the stored rows and stores the others."""

    offline: OfflineStore
    view: FeatureView
    file: SourceFile
    folder: Path
    now: datetime

    def run(self, revision: int, by: str) -> tuple[Ingestion, list[ObjectRef]]:
        """Store the new rows; return the record and the files that were stored."""
        path = self.file.path.resolve()
        with closing(connect([self.folder], scratch=self.folder, threads=1, files=[path])) as connection:
            table = SourceTable.open(connection, source_of(path), self.file.name)
            n_rows = stage(table, self.view, self.folder, self.now)
            select_new(connection, self.view, self._stored_rows(connection), self.file.name)
            ingestion = self._record(connection, revision, n_rows, by)
            refs = self._store(connection, ingestion.ingestion_id) if ingestion.n_stored else []
        return ingestion, refs

    def _stored_rows(self, connection: DuckDBPyConnection) -> str:
        days = staged_days(connection)
        if not days:
            return rows_of(self.view, ())
        folder, first, last = self.folder / "stored", min(days), max(days)
        return self.offline.fetch(self.view, folder, lambda file: file.day in days, first=first, last=last)

    def _record(self, connection: DuckDBPyConnection, revision: int, n_rows: int, by: str) -> Ingestion:
        facts = f"SELECT count(*), min({EVENT_TIME}), max({EVENT_TIME}) FROM added"
        n_stored, *bounds = first_row(connection, facts)
        earliest, latest = (moment and moment.replace(tzinfo=UTC) for moment in bounds)
        with self.file.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Ingestion(
            view=self.view.name,
            ingestion_id=f"{revision:08d}-{digest[:12]}",
            file=self.file.name,
            sha256=digest,
            n_rows=n_rows,
            n_stored=n_stored,
            earliest=earliest,
            latest=latest,
            at=self.now,
            by=by,
            upload_id=self.file.upload_id,
        )

    def _store(self, connection: DuckDBPyConnection, ingestion_id: str) -> list[ObjectRef]:
        """Store the new rows, one file for each day."""
        target = self.folder / "days"
        order = ", ".join(map(quoted_name, ("date", *self.view.key_names, EVENT_TIME, CREATED_TIME)))
        query = f"SELECT *, CAST({EVENT_TIME} AS DATE) AS date FROM added ORDER BY {order}"
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_OF_A_GROUP}, PARTITION_BY (date)"
        connection.execute(f"COPY ({query}) TO {quoted_text(str(target))} ({options})")
        refs = []
        for path in sorted(target.glob("date=*/*.parquet")):
            day, part = path.parent.name.removeprefix("date="), path.stem.rpartition("_")[2]
            refs.append(self.offline.store(path, self.view.name, day, f"{ingestion_id}-{part}"))
        return refs
