"""A table in DuckDB whose columns are read as values of stated types, with what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.views import ValueType
from mlops.feature_store.offline.typed_columns import TypedColumn
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.nearest import nearest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# so that an item of the online store, whose key is that of the entity, does not exceed what DynamoDB takes
MAX_KEY_BYTES, MAX_TEXT_BYTES = 500, 65_536
ROW = "row_number() OVER ()"
_FORMATS = {".csv": "read_csv({}, header = true, all_varchar = true)", ".parquet": "read_parquet({})"}
SUFFIXES = tuple(_FORMATS)


def unknown_suffix(name: str) -> FeatureStoreError:
    """Return the error about a file of another format."""
    return FeatureStoreError(f"{name} must be a CSV file (.csv) or a Parquet file (.parquet).")


def unreadable(name: str, error: Exception) -> FeatureStoreError:
    """Return the error about a table that DuckDB cannot read."""
    reason = str(error).splitlines()[0]
    if "CSV" in reason:
        reason = f"{reason}. Save it as CSV in UTF-8 with one header and the same number of cells in each row"
    return FeatureStoreError(f"{name} cannot be read: {reason}.")


def source_of(path: Path) -> str:
    """Return what reads a CSV or Parquet file in SQL.

    Raises
    ------
    FeatureStoreError
        If it is neither, or does not exist.
    """
    if path.suffix not in _FORMATS:
        raise unknown_suffix(path.name)
    if not path.is_file():
        raise FeatureStoreError(f"There is no file {path}.")
    if not path.stat().st_size:
        raise FeatureStoreError("The file is empty; it needs a header and rows.")
    return _FORMATS[path.suffix].format(quoted_text(str(path)))


@dataclass(frozen=True, slots=True)
class SourceTable:
    """What is read: `source` is a table or function of SQL, `name` is what messages call it."""

    connection: DuckDBPyConnection
    source: str
    name: str
    kinds: dict[str, str]

    @classmethod
    def open(cls, connection: DuckDBPyConnection, source: str, name: str) -> SourceTable:
        """Read the names and types of the columns.

        Raises
        ------
        FeatureStoreError
            If the source cannot be read.
        """
        import duckdb

        try:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        except duckdb.Error as error:
            raise unreadable(name, error) from error
        return cls(connection, source, name, {row[0]: row[1] for row in rows})

    def column(self, name: str, dtype: ValueType, timezone: str | None = None) -> TypedColumn:
        """Return a column to read as values of a type.

        Raises
        ------
        FeatureStoreError
            If there is no such column; near names are proposed.
        """
        if name not in self.kinds:
            raise FeatureStoreError(f"{self.name} has no column {name!r}. {nearest(name, self.kinds)}")
        return TypedColumn(name, self.kinds[name], dtype, timezone)

    def check(
        self,
        columns: Sequence[TypedColumn],
        required: Sequence[TypedColumn],
        times: Sequence[TypedColumn],
        now: Any,
    ) -> None:
        """Refuse cells of another type or too long, missing required ones, and times after `now`.

        Raises
        ------
        FeatureStoreError
            If there are any; the message has their number and the first row, and says what to do.
        """
        conditions = {
            **{each.is_unreadable: self._unreadable(each) for each in columns},
            **{
                each.is_longer_than(limit): f"{each.name} has more than {limit:,} bytes; shorten it"
                for each in columns
                for limit in (MAX_KEY_BYTES if each in required else MAX_TEXT_BYTES,)
            },
            **{each.is_missing: f"no {each.name}; every row needs one" for each in required},
            **{
                f"coalesce(({each.value}) > TIMESTAMP '{now:%Y-%m-%d %H:%M:%S.%f}', FALSE)": (
                    f"a time in the future in {each.name}; check the clock and the time zone"
                )
                for each in times
            },
        }
        problems = list(self._count(conditions))
        if problems:
            raise FeatureStoreError(f"{self.name}: {'; '.join(problems)}. Nothing was read from it.")

    def _count(self, conditions: dict[str, str]) -> Iterator[str]:
        counts = ", ".join(
            f"count(*) FILTER ({condition}), min({quoted_name('row')}) FILTER ({condition})"
            for condition in conditions
        )
        rows = f"(SELECT *, {ROW} AS {quoted_name('row')} FROM {self.source})"
        answers = self._run(f"SELECT {counts} FROM {rows}")[0]
        for position, text in enumerate(conditions.values()):
            count, first = answers[2 * position : 2 * position + 2]
            if count:
                where = f"row {first}" if count == 1 else f"{count:,} rows, the first is row {first}"
                yield f"{where}: {text}"

    def _unreadable(self, column: TypedColumn) -> str:
        if column.dtype is ValueType.UNIX_TIMESTAMP and column.timezone is None:
            return f"{column.name} is not a time with a UTC offset; write one, or state the time zone"
        kind = "" if column.kind == "VARCHAR" else f" (the column has the type {column.kind})"
        return f"{column.name} is not a value of the type {column.dtype}{kind}; correct it or the definition"

    def _run(self, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            return self.connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise unreadable(self.name, error) from error
