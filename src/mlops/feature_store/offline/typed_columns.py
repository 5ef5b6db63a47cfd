"""Columns of a file or a DataFrame as values of a type: the SQL for the value, and for a cell that has none.

Text is read as CSV has it: an empty cell is missing. NaN is missing as well, since other engines and the
online store have only one of them. A time without a UTC offset has a value only where a time zone is stated.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops.feature_store.definitions.views import ValueType
from mlops.feature_store.offline.files import SQL_TYPES
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
_WITH_ZONE = "TIMESTAMP WITH TIME ZONE"
_LOCAL_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_OFFSET = r"\d[Tt ]?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? ?([Zz]|UTC|[+-]\d{2}(:?\d{2})?)$"
_WHOLE = r"[+-]?\d+(\.0*)?"
# what Python and files of JSON can have: DuckDB also has times without end, and far years
_TIMES = "TIMESTAMP '0001-01-02' AND TIMESTAMP '9999-12-30'"


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of type `kind` (as DuckDB calls it), which is to be read as values of `dtype`."""

    name: str
    kind: str
    dtype: ValueType
    timezone: str | None = None

    @property
    def is_missing(self) -> str:
        """The condition that a cell is missing."""
        name = quoted_name(self.name)
        if self.kind in _FLOATS:
            return f"({name} IS NULL OR isnan({name}))"
        if self.kind == "VARCHAR":
            return f"({name} IS NULL OR trim({name}) = '' OR lower(trim({name})) = 'nan')"
        return f"({name} IS NULL)"

    @property
    def is_unreadable(self) -> str:
        """The condition that a cell has something that is not a value of the type."""
        return f"(NOT {self.is_missing} AND ({self._parsed}) IS NULL)"

    def is_longer_than(self, limit_bytes: int) -> str:
        """Return the condition that a cell is a text with more bytes."""
        if self.dtype is not ValueType.STRING or self.kind != "VARCHAR":
            return "FALSE"
        return f"coalesce(strlen({quoted_name(self.name)}) > {limit_bytes}, FALSE)"

    @property
    def value(self) -> str:
        """The value, NULL if it is missing; times are in UTC."""
        return f"CASE WHEN NOT {self.is_missing} THEN {self._parsed} END"

    @property
    def value_with_zone(self) -> str:
        """The value; a time states that it is in UTC."""
        return f"({self.value}) AT TIME ZONE 'UTC'" if self.dtype is ValueType.UNIX_TIMESTAMP else self.value

    @property
    def _parsed(self) -> str:  # noqa: PLR0911  one line for each type
        """The value of a cell that is not missing: NULL if it has none, as in a column that does not fit."""
        if self.dtype is ValueType.UNIX_TIMESTAMP:
            return f"CASE WHEN ({self._moment}) BETWEEN {_TIMES} THEN {self._moment} END"
        name, is_text = quoted_name(self.name), self.kind == "VARCHAR"
        is_number = self.kind in (*_INTEGERS, *_FLOATS) or self.kind.startswith("DECIMAL")
        match self.dtype:
            case ValueType.STRING if is_text or self.kind in _INTEGERS:
                return f"CAST({name} AS VARCHAR)"
            case ValueType.BOOL if is_text or self.kind == "BOOLEAN":
                return f"TRY_CAST({name} AS BOOLEAN)"
            case ValueType.FLOAT64 if is_text or is_number:
                number = f"TRY_CAST({name} AS DOUBLE)"
                return f"CASE WHEN isfinite({number}) THEN {number} END"
            case ValueType.INT64 if is_text:
                is_whole = f"regexp_full_match(trim({name}), '{_WHOLE}')"
                return f"CASE WHEN {is_whole} THEN TRY_CAST({name} AS BIGINT) END"
            case ValueType.INT64 if is_number:
                return f"CASE WHEN {name} = floor({name}) THEN TRY_CAST({name} AS BIGINT) END"
        return f"CAST(NULL AS {SQL_TYPES[self.dtype]})"

    @property
    def _moment(self) -> str:
        """The time in UTC of a cell that is not missing."""
        name = quoted_name(self.name)
        if self.kind == "VARCHAR":
            return self._moment_of_text(f"trim({name})")
        if self.kind == _WITH_ZONE:
            return f"{name} AT TIME ZONE 'UTC'"
        if self.kind in _LOCAL_TIMES and self.timezone:
            return f"CAST({name} AS TIMESTAMP) AT TIME ZONE {quoted_text(self.timezone)} AT TIME ZONE 'UTC'"
        return "CAST(NULL AS TIMESTAMP)"

    def _moment_of_text(self, text: str) -> str:
        local = "CAST(NULL AS TIMESTAMPTZ)"
        if self.timezone:
            local = f"TRY_CAST({text} AS TIMESTAMP) AT TIME ZONE {quoted_text(self.timezone)}"
        has_offset = f"regexp_matches({text}, {quoted_text(_OFFSET)})"
        moment = f"CASE WHEN {has_offset} THEN TRY_CAST({text} AS TIMESTAMPTZ) ELSE {local} END"
        return f"({moment}) AT TIME ZONE 'UTC'"
