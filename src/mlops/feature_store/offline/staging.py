"""A file before it is stored: its rows as values of their types, and what they may not be.

Rows are staged as a view `staged`; those that are not stored yet become a table `added`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME, FeatureView, ValueType
from mlops.feature_store.offline.tables import SourceTable
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def stage(table: SourceTable, view: FeatureView, folder: Path, now: datetime) -> int:
    """Check a file and stage its rows, each once; return how many rows it has.

    Raises
    ------
    FeatureStoreError
        If a column, a key or a time is missing, a cell is not of its type, a time is in the future, or two
        rows with the same keys and times have other values.
    """
    source, now = view.source, now.astimezone(UTC)
    keys = [table.column(field.name, field.dtype) for field in view.keys]
    features = [table.column(field.name, field.dtype, source.timezone) for field in view.schema]
    names = filter(None, (source.timestamp_field, source.created_timestamp_column))
    times = [table.column(name, ValueType.UNIX_TIMESTAMP, source.timezone) for name in names]
    table.check([*keys, *features, *times], required=[*keys, *times], times=times, now=now)
    event, *created = [each.value for each in times]
    created_time = created[0] if created else f"TIMESTAMP '{now:%Y-%m-%d %H:%M:%S.%f}'"
    selected = [f"{each.value} AS {quoted_name(each.name)}" for each in (*keys, *features)]
    selected += [f"{event} AS {EVENT_TIME}", f"{created_time} AS {CREATED_TIME}"]
    rows = quoted_text(str(folder / "staged.parquet"))
    query = f"SELECT DISTINCT {', '.join(selected)} FROM {table.source}"
    table.connection.execute(f"COPY ({query}) TO {rows} (FORMAT parquet, COMPRESSION zstd)")
    table.connection.execute(f"CREATE VIEW staged AS SELECT * FROM read_parquet({rows})")
    _refuse_duplicates(table, view)
    return int(first_row(table.connection, f"SELECT count(*) FROM {table.source}")[0])


def staged_days(connection: DuckDBPyConnection) -> set[date]:
    """Return the days of the staged rows, in UTC."""
    rows = connection.execute(f"SELECT DISTINCT CAST({EVENT_TIME} AS DATE) FROM staged").fetchall()
    return {row[0] for row in rows}


def select_new(connection: DuckDBPyConnection, view: FeatureView, stored: str, file: str) -> None:
    """Make the table `added` of the staged rows that are not stored.

    Parameters
    ----------
    stored
        What reads the stored rows of the staged days in SQL.

    Raises
    ------
    FeatureStoreError
        If a row has the keys and times of a stored one, and other values.
    """
    joined, same_values = _joined_with_stored(view, stored)
    created = view.source.created_timestamp_column
    if created is not None:
        changed = f"FROM (SELECT staged.* {joined} WHERE is_stored AND NOT {same_values})"
        count, first = _count_with_first(connection, view, changed)
        if count:
            rows = "A row" if count == 1 else f"{count:,} rows"
            raise FeatureStoreError(
                f"{rows} of {file} {'has' if count == 1 else 'have'} the {_identity(view)} of a stored row "
                f"and other values: {first}. Give a corrected row a later {created}."
            )
    is_new = f"is_stored IS NULL OR NOT {same_values}"
    connection.execute(f"CREATE TABLE added AS SELECT staged.* {joined} WHERE {is_new}")


def first_row(connection: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the first row of the result of a query."""
    row: tuple[Any, ...] = connection.execute(query).fetchall()[0]
    return row


def _joined_with_stored(view: FeatureView, stored: str) -> tuple[str, str]:
    """Return the join of each staged row with the stored one that it repeats or corrects.

    Also the condition that both have the same values. Where the view has no created column, the stored row is
    the last one with the same keys and time.
    """
    names = [*view.key_names, EVENT_TIME]
    names += [CREATED_TIME] if view.source.created_timestamp_column else []
    group = ", ".join(map(quoted_name, names))
    features = ", ".join(map(quoted_name, view.feature_names))
    held = f"arg_max(row({features}), {CREATED_TIME}) AS held, TRUE AS is_stored"
    same = " AND ".join(f"staged.{quoted_name(name)} = stored.{quoted_name(name)}" for name in names)
    joined = (
        f"FROM staged LEFT JOIN (SELECT {group}, {held} FROM {stored} GROUP BY {group}) AS stored ON {same}"
    )
    staged = ", ".join(f"staged.{quoted_name(name)}" for name in view.feature_names)
    return joined, f"(row({staged}) IS NOT DISTINCT FROM held)"


def _refuse_duplicates(table: SourceTable, view: FeatureView) -> None:
    keys = ", ".join(map(quoted_name, (*view.key_names, EVENT_TIME, CREATED_TIME)))
    repeated = f"FROM (SELECT {keys} FROM staged GROUP BY {keys} HAVING count(*) > 1)"
    count, first = _count_with_first(table.connection, view, repeated)
    if not count:
        return
    remedy = "give the corrected row a later created time"
    if not view.source.created_timestamp_column:
        remedy = (
            "state created_timestamp_column in the source of the view: then the last created one is valid"
        )
    more = f" and {count - 1:,} more" if count > 1 else ""
    raise FeatureStoreError(
        f"{table.name} has rows with the same {_identity(view)} and other values: {first}{more}. Keep one "
        f"of them, or {remedy}."
    )


def _count_with_first(connection: DuckDBPyConnection, view: FeatureView, rows: str) -> tuple[int, str]:
    """Return how many rows there are, and the keys and the time of the first one in words."""
    parts = [f"'{name} ' || {quoted_name(name)}" for name in view.key_names]
    parts.append(f"strftime({EVENT_TIME}, '%Y-%m-%d %H:%M:%S UTC')")
    count, first = first_row(connection, f"SELECT count(*), min(concat_ws(', ', {', '.join(parts)})) {rows}")
    return int(count), str(first)


def _identity(view: FeatureView) -> str:
    """Return the names of the columns by which a row is recognised."""
    source = view.source
    names = (*view.key_names, source.timestamp_field, source.created_timestamp_column)
    return ", ".join(filter(None, names))
