"""Entity rows: whose features are read, and as of when; a DataFrame, a file, or a SELECT over the views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.feature_store.definitions.problems import is_timezone
from mlops.feature_store.definitions.views import EVENT_TIME, FeatureView, Field, ValueType
from mlops.feature_store.offline.files import OfflineStore
from mlops.feature_store.offline.point_in_time import ENTITY_ROW, ENTITY_TIME
from mlops.feature_store.offline.tables import ROW, SourceTable, source_of
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

TABLE = "entity_table"


@dataclass(frozen=True, slots=True)
class EntityRows:
    """What a caller passes as entity rows.

    Parameters
    ----------
    content
        A DataFrame, the path of a CSV or Parquet file, or a SELECT over the feature views.
    timezone
        Of times without a UTC offset; without it they are refused.
    """

    content: pd.DataFrame | Path | str
    timezone: str | None = None

    @property
    def files(self) -> list[Path]:
        """The file that is read, if it is one."""
        return [self.content.resolve()] if isinstance(self.content, Path) else []

    def store(
        self, connection: DuckDBPyConnection, folder: Path, fields: Sequence[Field], now: datetime
    ) -> list[str]:
        """Check the rows, store them as `TABLE`, numbered and with their times in UTC; return their columns.

        Parameters
        ----------
        fields
            The keys, and the values of a request, that are needed beside the time.

        Raises
        ------
        FeatureStoreError
            If a column or a time is missing, a cell is not of its type, or a time is in the future.
        """
        if self.timezone is not None and not is_timezone(self.timezone):
            raise FeatureStoreError(
                f"{self.timezone!r} is not a time zone such as 'Europe/Berlin' or 'UTC'; correct it."
            )
        table = self._open(connection)
        columns = [table.column(field.name, field.dtype, self.timezone) for field in fields]
        time = table.column(EVENT_TIME, ValueType.UNIX_TIMESTAMP, self.timezone)
        table.check([*columns, time], required=[time], times=[time], now=now.astimezone(UTC))
        values = {each.name: each.value_with_zone for each in (*columns, time)}
        selected = [f"{values.get(each, quoted_name(each))} AS {quoted_name(each)}" for each in table.kinds]
        selected += [f"{ROW} AS {ENTITY_ROW}", f"{time.value} AS {ENTITY_TIME}"]
        rows = quoted_text(str(folder / "entity_rows.parquet"))
        connection.execute(
            f"COPY (SELECT {', '.join(selected)} FROM {table.source}) TO {rows} (FORMAT parquet)"
        )
        connection.execute(f"CREATE VIEW {TABLE} AS SELECT * FROM read_parquet({rows})")
        return list(table.kinds)

    def _open(self, connection: DuckDBPyConnection) -> SourceTable:
        if isinstance(self.content, Path):
            return SourceTable.open(connection, source_of(self.content), self.content.name)
        if isinstance(self.content, str):
            _refuse_changes(connection, self.content)
            source = f"({self.content.rstrip().rstrip(';')})"
            return SourceTable.open(connection, source, "The result of the SELECT")
        connection.register("entity_frame", self.content)
        return SourceTable.open(connection, "entity_frame", "The DataFrame of entity rows")


def create_views(
    connection: DuckDBPyConnection, offline: OfflineStore, views: Sequence[FeatureView], folder: Path
) -> None:
    """Make the stored rows of views readable by the name of the view, with their times in UTC."""
    for view in views:
        source = offline.fetch(view, folder)
        times = f"* REPLACE ({EVENT_TIME} AT TIME ZONE 'UTC' AS {EVENT_TIME})"
        connection.execute(f"CREATE VIEW {quoted_name(view.name)} AS SELECT {times} FROM {source}")


def _refuse_changes(connection: DuckDBPyConnection, query: str) -> None:
    """Refuse what is not one SELECT: another statement could write over the files."""
    import duckdb

    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise FeatureStoreError(f"The SELECT is not valid: {str(error).splitlines()[0]}") from error
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise FeatureStoreError("Entity rows in SQL must be one SELECT over the feature views.")
