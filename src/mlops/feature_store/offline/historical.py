"""The features of entity rows as of their times: as a DataFrame, or as a Parquet file of any length."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlops.feature_store.definitions.views import FeatureView, ValueType
from mlops.feature_store.offline.athena_join import AthenaJoin, ViewRequest
from mlops.feature_store.offline.entity_rows import TABLE, EntityRows, create_views
from mlops.feature_store.offline.files import OfflineStore
from mlops.feature_store.offline.functions import call_in_sql, inner_column
from mlops.feature_store.offline.parts import PartedJoin
from mlops.feature_store.offline.point_in_time import (
    ENTITY_ROW,
    ENTITY_TIME,
    ViewJoin,
    asof_query,
    window_query,
)
from mlops.feature_store.registry.references import SelectedFeature, SelectedFeatures
from mlops.infrastructure.duckdb_engine import connect, quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

_EARLIEST = datetime(1, 1, 1)  # noqa: DTZ001  as the times of the store: in UTC, without stating it


@dataclass(frozen=True, slots=True)
class RetrievalJob:
    """A request for features as of a time; nothing is read before one of its methods is called.

    Parameters
    ----------
    all_views
        The views that entity rows in SQL may use.
    as_known
        Whether only rows count that had been created by the time of the entity row, as a read of the online
        store at that moment would have had them. Otherwise late and corrected rows count as well.
    athena
        What joins the rows; None = DuckDB does, in this process.
    """

    entity_rows: EntityRows
    selected: SelectedFeatures
    offline: OfflineStore
    all_views: tuple[FeatureView, ...]
    now: datetime
    as_known: bool = False
    athena: AthenaJoin | None = None

    def to_df(self) -> pd.DataFrame:
        """Return the entity rows in their order, with a column for each feature.

        Raises
        ------
        FeatureStoreError
            If the entity rows lack a key or a time, have a time in the future, or cannot be read.
        """
        with TemporaryDirectory() as folder, self._query(Path(folder).resolve()) as (connection, query):
            return connection.execute(query).df()

    def to_parquet(self, path: Path) -> int:
        """Write what `to_df` returns into a Parquet file, over one that is there; return the number of rows.

        Raises
        ------
        FeatureStoreError
            As `to_df`.
        """
        with TemporaryDirectory() as folder, self._query(Path(folder).resolve()) as (connection, query):
            result = Path(folder).resolve() / "result.parquet"
            options = "FORMAT parquet, COMPRESSION zstd"
            copied = connection.execute(f"COPY ({query}) TO {quoted_text(str(result))} ({options})")
            shutil.move(result, path)
            return int(copied.fetchall()[0][0])

    @contextmanager
    def _query(self, folder: Path) -> Iterator[tuple[DuckDBPyConnection, str]]:
        """Provide a connection that sees a folder, and the query of the result, which is valid meanwhile."""
        files = self.entity_rows.files
        with closing(connect([folder], scratch=folder, files=files)) as connection:
            import duckdb

            try:
                yield connection, self._result(connection, self._joined(connection, folder))
            except duckdb.Error as error:
                raise FeatureStoreError(f"The features cannot be read: {_first_line(error)}") from error

    def _joined(self, connection: DuckDBPyConnection, folder: Path) -> str:
        """Store the entity rows; return the query that joins the values of all views."""
        if isinstance(self.entity_rows.content, str):
            create_views(connection, self.offline, self.all_views, folder / "selected")
        columns = self.entity_rows.store(connection, folder, self.selected.entity_fields, self.now)
        self._refuse_equal_names(columns)
        bounds = connection.execute(f"SELECT min({ENTITY_TIME}), max({ENTITY_TIME}) FROM {TABLE}").fetchall()[
            0
        ]
        kept = [*columns, ENTITY_ROW]
        if self.athena is not None:
            return self._joined_by(self.athena, connection, folder, kept, bounds)
        joins = [self._join(view, folder / "values", bounds) for view in self.selected.views]
        query = partial(window_query, as_known=True) if self.as_known else asof_query
        return PartedJoin(connection, folder, query).join(TABLE, kept, joins)

    def _joined_by(
        self,
        athena: AthenaJoin,
        connection: DuckDBPyConnection,
        folder: Path,
        kept: Sequence[str],
        bounds: Sequence[datetime | None],
    ) -> str:
        requests = [
            ViewRequest(view, self.selected.of_view(view), *_days(bounds, view.ttl))
            for view in self.selected.views
        ]
        values = athena.join(connection, folder, TABLE, requests, as_known=self.as_known)
        selected = ", ".join(f"{TABLE}.{quoted_name(name)}" for name in kept)
        features = f"athena_rows.* EXCLUDE ({ENTITY_ROW})"
        tables = f"{TABLE} LEFT JOIN {values} AS athena_rows USING ({ENTITY_ROW})"
        return f"SELECT {selected}, {features} FROM {tables}"

    def _join(self, view: FeatureView, folder: Path, bounds: Sequence[datetime | None]) -> ViewJoin:
        first, last = _days(bounds, view.ttl)
        source = self.offline.fetch(view, folder, first=first, last=last)
        columns = tuple((name, inner_column(view.name, name)) for name in self.selected.of_view(view))
        return ViewJoin(view, source, columns)

    def _result(self, connection: DuckDBPyConnection, joined: str) -> str:
        """Return the query of the result: with the features that functions compute, without inner columns."""
        on_demand = self.selected.on_demand
        calls = [
            f"{call_in_sql(connection, each, self.selected)} AS {_struct(each.name)}" for each in on_demand
        ]
        left_out = [_struct(each.name) for each in on_demand]
        left_out += [
            quoted_name(inner_column(view.name, name))
            for view in self.selected.views
            for name in self.selected.of_view(view)
        ]
        columns = [f"* EXCLUDE ({', '.join([ENTITY_ROW, *left_out])})"]
        columns += [f"{self._value(each)} AS {quoted_name(each.column)}" for each in self.selected.features]
        rows = f"SELECT {', '.join(['*', *calls])} FROM ({joined})"
        return f"SELECT {', '.join(columns)} FROM ({rows}) ORDER BY {ENTITY_ROW}"

    def _value(self, feature: SelectedFeature) -> str:
        if feature.view in {view.name for view in self.selected.on_demand}:
            return f"{_struct(feature.view)}.{quoted_name(feature.name)}"
        value = quoted_name(inner_column(feature.view, feature.name))
        return f"{value} AT TIME ZONE 'UTC'" if feature.dtype is ValueType.UNIX_TIMESTAMP else value

    def _refuse_equal_names(self, columns: Sequence[str]) -> None:
        repeated = sorted({feature.column for feature in self.selected.features} & set(columns))
        if repeated:
            raise FeatureStoreError(
                f"The entity rows have columns with the names of features: {', '.join(repeated)}. Rename "
                "them, or set full_feature_names (--full-feature-names)."
            )


def _days(bounds: Sequence[datetime | None], ttl: timedelta | None) -> tuple[date | None, date]:
    """Return the first and the last day of values that may be valid at a time between the bounds."""
    earliest, latest = bounds
    if earliest is None or latest is None:
        return None, date.min
    return None if ttl is None else (earliest - min(ttl, earliest - _EARLIEST)).date(), latest.date()


def _struct(view: str) -> str:
    return quoted_name(inner_column(view, ""))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
