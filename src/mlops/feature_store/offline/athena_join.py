"""Features as of times joined by Athena where the values are: for histories that outgrow one machine.

The entity rows go to Athena as a file with their number, time and keys; what comes back is a CSV file with
the features of each number. Athena has times of milliseconds, so values are compared by these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from mlops.feature_store.definitions.views import FeatureView, ValueType
from mlops.feature_store.offline.catalog_tables import (
    ENTITY_TABLE,
    REQUEST_PREFIX,
    table_of_view,
)
from mlops.feature_store.offline.entity_rows import EntityRows
from mlops.feature_store.offline.files import SQL_TYPES, OfflineStore
from mlops.feature_store.offline.functions import inner_column
from mlops.feature_store.offline.point_in_time import ENTITY_ROW, ENTITY_TIME, ViewJoin, window_query
from mlops.feature_store.registry.versions import Definitions
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError
from mlops.models.objects import ObjectRef
from mlops.models.settings.nearest import nearest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ENGINES = ("duckdb", "athena")
_KEY_TYPES = {ValueType.STRING: "VARCHAR", ValueType.INT64: "BIGINT"}


class QueryService(Protocol):
    """Runs SQL over the files of the store."""

    def put_table(self, table: Mapping[str, Any]) -> None:
        """Create a table, or replace one with its name; `table` is a `TableInput` of Glue."""

    def execute(self, statement: str) -> ObjectRef:
        """Run a SELECT; return the CSV file of its result."""


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """A view to join: its features that are read, and the days with values that may be valid."""

    view: FeatureView
    features: tuple[str, ...]
    first: date | None
    last: date


@dataclass(frozen=True, slots=True)
class AthenaJoin:
    """Joins entity rows with values by queries."""

    service: QueryService
    offline: OfflineStore

    def publish(self, definitions: Definitions, views: Sequence[str]) -> None:
        """Make the tables of views current; names of other definitions are left out."""
        for name in views:
            stored = (each.definition for each in definitions.history(name))
            if not (versions := [each for each in stored if isinstance(each, FeatureView)]):
                continue
            earliest = (each.earliest for each in self.offline.states.ingestions(name))
            first = min((each.date() for each in earliest if each), default=None)
            self.service.put_table(table_of_view(versions, self.offline.bucket, first))

    def join(
        self,
        connection: DuckDBPyConnection,
        folder: Path,
        entity_table: str,
        requests: Sequence[ViewRequest],
        *,
        as_known: bool,
    ) -> str:
        """Return what reads the features of each entity row in SQL: a table with `entity_row`.

        Parameters
        ----------
        entity_table
            A table of the connection with number, time and keys.
        folder
            Where the connection may write and read.
        """
        keys = {key.name: key.dtype for each in requests for key in each.view.keys}
        request_id = self._send(connection, folder, entity_table, list(keys))
        typed = [
            f"CAST(keys[{quoted_text(name)}] AS {_KEY_TYPES[dtype]}) AS {quoted_name(name)}"
            for name, dtype in keys.items()
        ]
        rows = (
            f"(SELECT {', '.join([ENTITY_ROW, ENTITY_TIME, *typed])} FROM {quoted_name(ENTITY_TABLE)} "
            f"WHERE request = {quoted_text(request_id)})"
        )
        joins = [self._join_of(each) for each in requests]
        result = self.service.execute(window_query(rows, [ENTITY_ROW], joins, as_known=as_known))
        self.offline.objects.download(result, folder / "athena.csv")
        return _result_rows(folder / "athena.csv", requests)

    def _send(
        self, connection: DuckDBPyConnection, folder: Path, entity_table: str, keys: Sequence[str]
    ) -> str:
        """Store the entity rows where Athena reads them; return the id of the request."""
        names = ", ".join(map(quoted_text, keys))
        values = ", ".join(f"CAST({quoted_name(key)} AS VARCHAR)" for key in keys)
        query = f"SELECT {ENTITY_ROW}, {ENTITY_TIME}, MAP([{names}], [{values}]) AS keys FROM {entity_table}"
        path, request_id = folder / "request.parquet", uuid4().hex
        options = "FORMAT parquet, COMPRESSION zstd"
        connection.execute(f"COPY ({query}) TO {quoted_text(str(path))} ({options})")
        key = f"{REQUEST_PREFIX}request={request_id}/entity-rows.parquet"
        target = ObjectRef(self.offline.bucket, key)
        self.offline.objects.upload(path, target, "application/vnd.apache.parquet")
        return request_id

    def _join_of(self, request: ViewRequest) -> ViewJoin:
        view = request.view
        files = self.offline.list(view.name, request.first, request.last)
        conditions = ["FALSE"]
        if files:
            first, last = files[0].day.isoformat(), max(each.day for each in files).isoformat()
            conditions = [f"{quoted_name('date')} BETWEEN {quoted_text(first)} AND {quoted_text(last)}"]
        # of an ingestion that was stopped before its record
        if extra := self.offline.unrecorded(view.name, request.first, request.last):
            listed = ", ".join(quoted_text(ref.uri) for ref in extra)
            conditions.append(f"{quoted_name('$path')} NOT IN ({listed})")
        source = f"(SELECT * FROM {quoted_name(view.name.lower())} WHERE {' AND '.join(conditions)})"
        columns = tuple((name, inner_column(view.name, name)) for name in request.features)
        return ViewJoin(view, source, columns)


def athena_for(engine: str, athena: AthenaJoin | None, rows: EntityRows) -> AthenaJoin | None:
    """Return what joins rows with an engine, None for DuckDB.

    Raises
    ------
    FeatureStoreError
        If there is no such engine, or it cannot be used here or with these rows.
    """
    if engine not in ENGINES:
        raise FeatureStoreError(f"There is no engine {engine!r}. {nearest(engine, ENGINES)}")
    if engine == "duckdb":
        return None
    if athena is None:
        raise FeatureStoreError(
            "Plain files are read with the engine duckdb; Athena needs a stack (--stack)."
        )
    if isinstance(rows.content, str):
        raise FeatureStoreError(
            "Athena takes entity rows as a DataFrame or a file. Run the SELECT in the Athena console "
            "over the tables of the views, and pass its result."
        )
    return athena


def _result_rows(path: Path, requests: Sequence[ViewRequest]) -> str:
    """Return what reads the result; an empty cell is missing, since no stored text is empty."""
    kinds = {ENTITY_ROW: "BIGINT"}
    for request in requests:
        types = {field.name: SQL_TYPES[field.dtype] for field in request.view.schema}
        kinds |= {inner_column(request.view.name, name): types[name] for name in request.features}
    columns = ", ".join(f"{quoted_text(name)}: {quoted_text(kind)}" for name, kind in kinds.items())
    return (
        f"read_csv({quoted_text(str(path))}, header = true, auto_detect = false, "
        f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"', nullstr = '')"
    )
