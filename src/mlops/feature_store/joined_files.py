"""CSV files with the features of a service beside their own columns: as of the time of each row, or now.

The columns of the file stay as they are written; only numbers with a decimal comma get a point, as the
features have. Values of features are written alike on both ways, so that a model reads at scoring what it has
learned from.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.views import EVENT_TIME, ValueType
from mlops.feature_store.offline.historical import RetrievalJob
from mlops.feature_store.offline.tables import SourceTable
from mlops.feature_store.online.items import item_key
from mlops.feature_store.online.reading import MAX_ENTITIES, FieldStatus, OnlineResponse, OnlineValue
from mlops.feature_store.online.request_values import request_value
from mlops.feature_store.registry.references import SelectedFeature, SelectedFeatures
from mlops.infrastructure.duckdb_engine import connect, quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mlops.dataset.conversion.plain_csv import PlainCsv

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_POSITION = "row_position"  # so that a row of missing values is not a blank line
_READERS = 8  # requests to the online store at once
_DECIMAL_COMMA = r"\s*[+-]?([0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|[0-9]*,[0-9]+)\s*"

type ReadOnline = Callable[[Sequence[Mapping[str, Any]]], OnlineResponse]


@dataclass(frozen=True, slots=True)
class JoinedFile:
    """What was joined.

    Parameters
    ----------
    text_columns
        The positions of columns of text among those of features.
    number_columns
        The names of features with fractions.
    statuses
        How many values of features have each status; as of a time, those that are missing are `NOT_FOUND`.
    """

    n_rows: int
    text_columns: tuple[int, ...]
    number_columns: tuple[str, ...]
    statuses: Mapping[FieldStatus, int]


def join_as_of(
    table: PlainCsv,
    target: Path,
    selected: SelectedFeatures,
    time_column: str,
    read: Callable[[Path], RetrievalJob],
) -> JoinedFile:
    """Write a CSV file with the features as of the times of its rows.

    Parameters
    ----------
    read
        Returns the job that reads the features of a file of entity rows.

    Raises
    ------
    FeatureStoreError
        If the file lacks a key or the time, has a column of the name of a feature, or cannot be read.
    """
    with _opened(table, target, selected) as join:
        entities, values = join.folder / "entities.parquet", join.folder / "values.parquet"
        time = join.table.column(time_column, ValueType.UNIX_TIMESTAMP).name
        columns = [f"{quoted_name(name)} AS {quoted_name(name)}" for name in join.entity_columns]
        columns.append(f"{quoted_name(time)} AS {EVENT_TIME}")
        query = f"SELECT {', '.join(columns)} FROM {join.table.source}"
        join.connection.execute(f"COPY ({query}) TO {quoted_text(str(entities))} (FORMAT parquet)")
        n_rows = read(entities).to_parquet(values)
        source = f"read_parquet({quoted_text(str(values))})"
        present = ", ".join(f"count({quoted_name(each.column)})" for each in selected.features)
        n_present = sum(join.connection.execute(f"SELECT {present} FROM {source}").fetchall()[0])
        n_values = n_rows * len(selected.features)
        join.write(source, _text_in_sql)
    statuses = {FieldStatus.PRESENT: n_present, FieldStatus.NOT_FOUND: n_values - n_present}
    return JoinedFile(n_rows, join.text_columns, join.number_columns, statuses)


def join_online(table: PlainCsv, target: Path, selected: SelectedFeatures, read: ReadOnline) -> JoinedFile:
    """Write a CSV file with the newest values of features; a row with an unreadable key has none.

    Raises
    ------
    FeatureStoreError
        As `join_as_of`, except for the time.
    """
    counts: Counter[FieldStatus] = Counter()
    n_rows = 0
    with _opened(table, target, selected) as join:
        values = join.folder / "values.csv"
        with values.open("w", encoding="utf-8", newline="") as stream, ThreadPoolExecutor(_READERS) as pool:
            writer = csv.writer(stream)
            writer.writerow([_POSITION, *(each.column for each in selected.features)])
            for chunks in join.chunks():
                for rows in pool.map(lambda chunk: read_rows(chunk, selected, read), chunks):
                    for row in rows:
                        counts.update(value.status for value in row.values())
                        n_rows += 1
                        cells = (_text(row[each.column].value, each) for each in selected.features)
                        writer.writerow([n_rows, *cells])
        options = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"'"
        join.write(f"read_csv({quoted_text(str(values))}, {options})", lambda each: quoted_name(each.column))
    return JoinedFile(n_rows, join.text_columns, join.number_columns, dict(counts))


def read_rows(
    rows: Sequence[Mapping[str, Any]], selected: SelectedFeatures, read: ReadOnline
) -> list[Mapping[str, OnlineValue]]:
    """Return the newest values of up to 100 rows; one with an unreadable key or request value has none."""
    readable = [number for number, row in enumerate(rows) if _is_readable(row, selected)]
    answers = read([rows[number] for number in readable]).rows if readable else ()
    by_number = dict(zip(readable, answers, strict=True))
    nothing = {each.column: OnlineValue(None, FieldStatus.NOT_FOUND) for each in selected.features}
    return [by_number.get(number, nothing) for number in range(len(rows))]


def json_value(value: Any) -> Any:
    """Return a value as a request of JSON would have it: a time as the text that files have."""
    return value.astimezone(UTC).strftime(_TIME_FORMAT) if isinstance(value, datetime) else value


def _is_readable(row: Mapping[str, Any], selected: SelectedFeatures) -> bool:
    try:
        for view in selected.views:
            item_key(view.keys, row)
        for field in selected.request_fields:
            request_value(field, row.get(field.name))
    except FeatureStoreError:
        return False
    return True


class _Join:
    """One file that is joined: DuckDB sees it and a folder of its own."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        table: PlainCsv,
        target: Path,
        selected: SelectedFeatures,
        folder: Path,
    ) -> None:
        self.connection, self.selected, self.folder = connection, selected, folder
        self._target = target
        self.table = SourceTable.open(connection, _rows_of(table), "The file")
        self.entity_columns = [
            self.table.column(field.name, field.dtype, "UTC").name for field in selected.entity_fields
        ]
        own = {name.lower() for name in self.table.kinds}
        repeated = [each.column for each in selected.features if each.column.lower() in own]
        if repeated:
            raise FeatureStoreError(
                f"The file has columns that the feature service has: {', '.join(repeated)}. Leave them out."
            )
        self.number_columns = tuple(
            each.column for each in selected.features if each.dtype is ValueType.FLOAT64
        )
        first = len(self.table.kinds)
        self.text_columns = tuple(
            first + position
            for position, each in enumerate(selected.features)
            if each.dtype is ValueType.STRING
        )

    def chunks(self) -> Iterator[list[list[dict[str, Any]]]]:
        """Yield the keys and request values of the rows, in lists that one request reads each."""
        columns = ", ".join(map(quoted_name, self.entity_columns))
        cursor = self.connection.execute(f"SELECT {columns} FROM {self.table.source}")
        while rows := cursor.fetchmany(MAX_ENTITIES * _READERS):
            entities = [dict(zip(self.entity_columns, row, strict=True)) for row in rows]
            yield list(map(list, batched(entities, MAX_ENTITIES)))

    def write(self, values: str, text_of: Callable[[SelectedFeature], str]) -> None:
        """Write the columns of the file, then those of the features, which have the same order of rows."""
        import duckdb

        cells = [f"{text_of(each)} AS {quoted_name(each.column)}" for each in self.selected.features]
        query = (
            f"SELECT file_rows.*, feature_rows.* FROM (SELECT * FROM {self.table.source}) AS file_rows "
            f"POSITIONAL JOIN (SELECT {', '.join(cells)} FROM {values}) AS feature_rows"
        )
        target = quoted_text(str(self.folder / "joined.csv"))
        try:
            self.connection.execute(f"COPY ({query}) TO {target} (FORMAT csv, HEADER)")
        except duckdb.Error as error:
            raise FeatureStoreError(f"The file cannot be read: {str(error).splitlines()[0]}") from error
        (self.folder / "joined.csv").replace(self._target)


@contextmanager
def _opened(table: PlainCsv, target: Path, selected: SelectedFeatures) -> Iterator[_Join]:
    """Provide a join; its folder is beside the target, so that the result can be moved there."""
    with TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name).resolve()
        with closing(connect([folder], scratch=folder, threads=1, files=[table.path])) as duck:
            yield _Join(duck, table, target, selected, folder)


def _rows_of(table: PlainCsv) -> str:
    """Return what reads the rows of a file in SQL, all as text."""
    dialect, names = table.dialect, table.names
    kinds = ", ".join(f"{quoted_text(name)}: 'VARCHAR'" for name in names)
    quote = quoted_text(dialect.quote)
    options = (
        f"columns = {{{kinds}}}, header = false, auto_detect = false, quote = {quote}, escape = {quote}, "
    )
    options += f"delim = {quoted_text(dialect.delimiter)}, comment = {quoted_text(dialect.comment)}"
    rows = f"read_csv({quoted_text(str(table.path))}, {options})"
    if dialect.decimal == ".":
        return rows
    return f"(SELECT {', '.join(map(_with_point, names))} FROM {rows})"


def _with_point(name: str) -> str:
    """Return the SQL for a cell in which a number with a decimal comma is one with a decimal point."""
    cell = quoted_name(name)
    plain = f"replace(replace({cell}, '.', ''), ',', '.')"
    return f"CASE WHEN regexp_full_match({cell}, '{_DECIMAL_COMMA}') THEN {plain} ELSE {cell} END AS {cell}"


def _text_in_sql(feature: SelectedFeature) -> str:
    """Return the SQL for a value as text, as `_text` writes it."""
    value = quoted_name(feature.column)
    if feature.dtype is ValueType.UNIX_TIMESTAMP:
        return f"strftime({value} AT TIME ZONE 'UTC', '{_TIME_FORMAT}')"
    return f"CAST({value} AS VARCHAR)"


def _text(value: Any, feature: SelectedFeature) -> str:
    if value is None:
        return ""
    match feature.dtype:
        case ValueType.BOOL:
            return "true" if value else "false"
        case ValueType.FLOAT64:
            return repr(float(value))
        case ValueType.UNIX_TIMESTAMP:
            return str(json_value(value))
        case _:
            return str(value)
