"""Materialisation: the newest values of each entity are copied from the files into the online store.

Writes are conditional: values of an older time never replace newer ones, in whatever order they are written.
So a materialisation can be repeated, may run several times at once, and completes what one before it left.
An entity that has more values than an item holds is left out, and named as a problem until it fits: it keeps
the values that it had, with their time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView
from mlops.feature_store.offline.files import OfflineStore
from mlops.feature_store.offline.state import Progress
from mlops.feature_store.online.items import expiry, newer_values, obsolete_attributes, too_large_problem
from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.infrastructure.table import NewerValues, Table
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 500

type Fetch = Callable[[FeatureView, Path], str]


@dataclass(frozen=True, slots=True)
class Materialization(Record):
    """What was copied of a view: the values of `n_entities`, of which `n_written` changed the store."""

    view: str
    start: datetime | None
    end: datetime
    n_entities: int
    n_written: int


@dataclass(frozen=True, slots=True)
class Materializer:
    """Copies from the files of views into the online table."""

    offline: OfflineStore
    online_table: Table

    def materialize(
        self,
        view: FeatureView,
        start: datetime | None,
        end: datetime,
        *,
        views: Sequence[FeatureView],
        now: datetime,
    ) -> Materialization:
        """Copy the newest values from after `start` until `end`, both included.

        Parameters
        ----------
        start
            None = from the beginning.
        views
            All views, of which the longest ttl says when an item expires.

        Raises
        ------
        FeatureStoreError
            If a time has no UTC offset, or the end is before the start or in the future; after all others
            were copied, if an entity has more values than an item holds.
        """
        _check_times(start, end, now)
        condition = f"{EVENT_TIME} <= {_moment(end)}"
        if start is not None:
            condition += f" AND {EVENT_TIME} >= {_moment(start)}"
        first = start.astimezone(UTC).date() if start else None
        fetch = partial(self.offline.fetch, first=first, last=end.astimezone(UTC).date())
        counts = self._copy(view, views, fetch, condition, now)
        return Materialization(view.name, start, end, *counts)

    def materialize_incremental(
        self, view: FeatureView, end: datetime, *, views: Sequence[FeatureView], now: datetime
    ) -> Materialization:
        """Copy what was not copied yet until `end`: later values, and late or corrected earlier ones.

        Raises
        ------
        FeatureStoreError
            If the end has no UTC offset or is in the future; as `materialize` if an entity was left out,
            and then the next run copies from where this one began.
        """
        _check_times(None, end, now)
        states = self.offline.states
        before, revision = states.progress(view.name), states.get(view.name).revision
        fetch: Fetch = self.offline.fetch
        if before is not None:
            copied_until = before.end.astimezone(UTC).date()
            is_needed = lambda file: file.day >= copied_until or file.revision > before.revision  # noqa: E731
            fetch = partial(self.offline.fetch, is_needed=is_needed)
        counts = self._copy(view, views, fetch, f"{EVENT_TIME} <= {_moment(end)}", now)
        if before is None or before.end <= end:
            states.record_progress(view.name, Progress(end, revision))
        return Materialization(view.name, before.end if before else None, end, *counts)

    def _copy(
        self,
        view: FeatureView,
        views: Sequence[FeatureView],
        fetch: Fetch,
        condition: str,
        now: datetime,
    ) -> tuple[int, int]:
        """Copy the newest of the rows that meet a condition; return the numbers of entities and of writes."""
        expires, removed = expiry(views, view, now), obsolete_attributes(view, views)
        n_entities = n_written = 0
        too_large: list[NewerValues] = []
        with TemporaryDirectory() as name:
            folder = Path(name).resolve()
            with closing(connect([folder], scratch=folder)) as connection:
                source = fetch(view, folder)
                for rows in _newest(connection, view, source, condition):
                    updates = [newer_values(view, row, expires, removed) for row in rows]
                    n_entities += len(updates)
                    outcome = self.online_table.write_newer(updates)
                    n_written += outcome.n_changed
                    too_large += outcome.too_large
        if too_large:
            raise FeatureStoreError(too_large_problem(view, views, too_large))
        return n_entities, n_written


def copy_each(
    views: Sequence[FeatureView], copy: Callable[[FeatureView], Materialization]
) -> tuple[dict[str, Materialization], dict[str, Exception]]:
    """Copy views one after the other; return what was done, and the faults, both by the name of the view.

    A view that cannot be copied does not keep back the others.
    """
    done, faults = {}, {}
    for view in views:
        try:
            done[view.name] = copy(view)
        except Exception as fault:  # noqa: BLE001  it is raised after the other views are copied
            faults[view.name] = fault
    return done, faults


def refuse_faults(faults: Mapping[str, Exception]) -> None:
    """Raise one error with the faults of views, by their name; none if there are none.

    Raises
    ------
    FeatureStoreError
        If there is one.
    """
    if faults:
        reasons = " ".join(f"{view}: {_reason(fault)}" for view, fault in faults.items())
        first = next(iter(faults.values()))
        raise FeatureStoreError(f"Not everything was copied into the online store. {reasons}") from first


def _reason(fault: Exception) -> str:
    return str(fault) if isinstance(fault, FeatureStoreError) else f"{type(fault).__name__}: {fault}"


def copy_all(
    views: Sequence[FeatureView], copy: Callable[[FeatureView], Materialization]
) -> list[Materialization]:
    """Copy views one after the other.

    Raises
    ------
    FeatureStoreError
        If one cannot be copied, after all others were.
    """
    done, faults = copy_each(views, copy)
    refuse_faults(faults)
    return list(done.values())


def _newest(
    connection: DuckDBPyConnection, view: FeatureView, source: str, condition: str
) -> Iterator[list[dict[str, Any]]]:
    """Yield the newest row of each entity, some at a time."""
    keys = ", ".join(map(quoted_name, view.key_names))
    columns = [*view.feature_names, EVENT_TIME, CREATED_TIME]
    packed = ", ".join(f"{quoted_name(name)} := {quoted_name(name)}" for name in columns)
    newest = f"arg_max(struct_pack({packed}), row({EVENT_TIME}, {CREATED_TIME})) AS newest"
    query = f"SELECT {keys}, {newest} FROM {source} WHERE {condition} GROUP BY {keys}"
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(_BATCH):
        yield [{**dict(zip(view.key_names, row, strict=False)), **row[-1]} for row in rows]


def _check_times(start: datetime | None, end: datetime, now: datetime) -> None:
    for moment in filter(None, (start, end)):
        if moment.tzinfo is None:
            raise FeatureStoreError(f"{moment.isoformat()} has no UTC offset; write one, such as +00:00.")
    if end > now:
        raise FeatureStoreError(f"The end {end.isoformat()} is in the future; it may be {now.isoformat()}.")
    if start is not None and start > end:
        raise FeatureStoreError(f"The start {start.isoformat()} is after the end {end.isoformat()}.")


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
