"""The Parquet files of views: `features/<view>/date=<day>/<ingestion>-<part>.parquet` in an object store.

The day is that of the time of the rows, in UTC. A file is changed only to remove rows of forgotten persons.
It counts from the moment at which its ingestion is recorded: then all files of the ingestion do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from os.path import commonprefix
from pathlib import Path

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView, ValueType
from mlops.feature_store.offline.state import ValueStates
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.objects import ObjectFacts, ObjectRef

PREFIX = "features/"
SQL_TYPES = {
    ValueType.BOOL: "BOOLEAN",
    ValueType.INT64: "BIGINT",
    ValueType.FLOAT64: "DOUBLE",
    ValueType.STRING: "VARCHAR",
    ValueType.UNIX_TIMESTAMP: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """One stored file: the day of its rows, and the ingestion that stored it."""

    ref: ObjectRef
    day: date
    ingestion_id: str

    @classmethod
    def of(cls, facts: ObjectFacts) -> FeatureFile:
        """Return the file of an object."""
        *_, day, name = facts.ref.key.split("/")
        return cls(facts.ref, date.fromisoformat(day.removeprefix("date=")), name.rpartition("-")[0])

    @property
    def revision(self) -> int:
        """The revision of the view that the ingestion made."""
        return int(self.ingestion_id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class OfflineStore:
    """The files of all views in one bucket, and the records of what was ingested."""

    objects: ObjectStore
    bucket: str
    states: ValueStates

    def list(self, view: str, first: date | None = None, last: date | None = None) -> tuple[FeatureFile, ...]:
        """Return the files of the recorded ingestions of a view, by day.

        Parameters
        ----------
        first, last
            The days to list; None = from the beginning, to the end.
        """
        recorded = self._recorded(view)
        return tuple(file for file in self._stored(view, first, last) if file.ingestion_id in recorded)

    def unrecorded(self, view: str, first: date | None, last: date | None) -> tuple[ObjectRef, ...]:
        """Return the files between two days that do not count, as their ingestion is not recorded."""
        recorded = self._recorded(view)
        files = self._stored(view, first, last)
        return tuple(file.ref for file in files if file.ingestion_id not in recorded)

    def _recorded(self, view: str) -> set[str]:
        return {ingestion.ingestion_id for ingestion in self.states.ingestions(view)}

    def _stored(self, view: str, first: date | None, last: date | None) -> Sequence[FeatureFile]:
        first, last = first or date.min, last or date.max
        # a listing is limited by a prefix: the year, the month or the day that all days have in common
        days = commonprefix([first.isoformat(), last.isoformat()])  # noqa: RUF071
        objects = self.objects.list(self.bucket, f"{PREFIX}{view}/date={days}")
        return [file for file in map(FeatureFile.of, objects) if first <= file.day <= last]

    def store(self, source: Path, view: str, day: str, name: str) -> ObjectRef:
        """Store a file of one day; `name` is that of the ingestion and the number of the part."""
        ref = ObjectRef(self.bucket, f"{PREFIX}{view}/date={day}/{name}.parquet")
        return self.objects.upload(source, ref, "application/vnd.apache.parquet")

    def remove(self, refs: Iterable[ObjectRef]) -> None:
        """Remove files."""
        for ref in refs:
            self.objects.delete(ref)

    def fetch(
        self,
        view: FeatureView,
        folder: Path,
        is_needed: Callable[[FeatureFile], bool] = lambda _: True,
        *,
        first: date | None = None,
        last: date | None = None,
    ) -> str:
        """Copy the files of a view that are needed into a folder; return what reads their rows in SQL.

        `first` and `last` are as of `list`.
        """
        target = folder / view.name
        target.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, file in enumerate(filter(is_needed, self.list(view.name, first, last))):
            paths.append(target / f"{number:06d}.parquet")
            self.objects.download(file.ref, paths[-1])
        return rows_of(view, paths)


def rows_of(view: FeatureView, paths: Iterable[Path]) -> str:
    """Return what reads rows of a view in SQL: its columns, NULL where a file is older than a feature."""
    columns = {**{field.name: SQL_TYPES[field.dtype] for field in (*view.keys, *view.schema)}}
    columns |= {EVENT_TIME: "TIMESTAMP", CREATED_TIME: "TIMESTAMP"}
    empty = ", ".join(f"CAST(NULL AS {kind}) AS {quoted_name(name)}" for name, kind in columns.items())
    listed = ", ".join(quoted_text(str(path)) for path in paths)
    if not listed:
        return f"(SELECT {empty} WHERE FALSE)"
    files = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    names = ", ".join(map(quoted_name, columns))
    return f"(SELECT {names} FROM (SELECT {empty} WHERE FALSE UNION ALL BY NAME SELECT * FROM {files}))"
