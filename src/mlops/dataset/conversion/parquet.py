"""Parquet files, written as CSV by DuckDB, which sees nothing but one directory and loads nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.dataset.conversion.expansion import refuse_excess
from mlops.dataset.conversion.refusal import damaged, refused
from mlops.dataset.conversion.table_file import ConvertedTable, header_line
from mlops.dataset.limits import Limits
from mlops.dataset.privacy import name_in_report, shown
from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.infrastructure.extras import require_package
from mlops.models.dataset import Finding

if TYPE_CHECKING:  # imported on first use: only files of this format need it
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_MEMORY = "1GB"  # exceeded by some 60 MB at most
_NUMBERS = re.compile(r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(\d+,\d+\)|BOOLEAN")
_FLOATS = ("FLOAT", "DOUBLE")
_TEXTS = re.compile(r"VARCHAR|JSON|UUID|ENUM\(.*\)", re.DOTALL)
_MOMENTS = re.compile(r"TIMESTAMP(?:_S|_MS|_NS)?")
_MOMENTS_WITH_ZONE = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS WITH TIME ZONE")
_OTHERS = ("DATE", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "INTERVAL", '"NULL"')
# the column in which pandas stores an index that is not a plain count of the rows
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its position and name in the file, its type, and how DuckDB is asked for it."""

    position: int
    name: str
    kind: str
    reference: str

    @property
    def is_text(self) -> bool:
        """Whether the file states text."""
        return bool(_TEXTS.fullmatch(self.kind))

    @property
    def is_flat(self) -> bool:
        """Whether one cell of CSV can contain a value of the column."""
        patterns = (_NUMBERS, _TEXTS, _MOMENTS)
        names = (*_FLOATS, *_MOMENTS_WITH_ZONE, *_OTHERS)
        return self.kind in names or any(pattern.fullmatch(self.kind) for pattern in patterns)

    def written(self, *, has_times: bool) -> str:
        """Return the SQL for the text of a cell; NaN and NULL are missing."""
        if self.kind in _FLOATS:
            return f"CASE WHEN isnan({self.reference}) THEN NULL ELSE {self.reference}::VARCHAR END"
        if self.kind in _MOMENTS_WITH_ZONE:
            return f"regexp_replace({self.reference}::VARCHAR, '[+]00$', '+00:00')"
        if _MOMENTS.fullmatch(self.kind) and not has_times:
            return f"{self.reference}::DATE::VARCHAR"
        if self.kind == "BOOLEAN":
            return f"CASE WHEN {self.reference} THEN 'True' WHEN NOT {self.reference} THEN 'False' END"
        if self.is_text:
            text = f"{self.reference}::VARCHAR"
            return f"replace(replace({text}, chr(13) || chr(10), chr(10)), chr(13), chr(10))"
        return f"{self.reference}::VARCHAR"


def convert_parquet(source: Path, target: Path, limits: Limits) -> ConvertedTable:
    """Write a Parquet file as CSV.

    Parameters
    ----------
    source, target
        Both in one directory, the only one that DuckDB may use; `source` may be a link to a file elsewhere.

    Raises
    ------
    RefusalError
        If the file is damaged, has nested or binary columns, or expands to more than the limits allow.
    """
    require_package("duckdb")
    import duckdb

    with closing(_connect(source)) as connection:
        try:
            return _write(connection, source, target, limits)
        except duckdb.OutOfMemoryException as error:
            message = f"The file needs more than {_MEMORY} of memory to be read."
            raise refused("too_large", message, advice="Write it with smaller row groups.") from error
        except duckdb.PermissionException:
            raise  # a fault of ours, not of the file
        except duckdb.NotImplementedException as error:
            message = "The Parquet file is encrypted, or written in a way that cannot be read."
            raise refused("wrong_container", message) from error
        # of names and numbers that no Parquet file may have, its binding raises errors of Python
        except (duckdb.Error, RuntimeError, ValueError, OverflowError) as error:
            raise damaged("the Parquet data is truncated or corrupt") from error


def _connect(source: Path) -> DuckDBPyConnection:
    folder = source.parent
    return connect([folder], scratch=folder, memory=_MEMORY, files=[source.resolve()])


def _write(connection: DuckDBPyConnection, source: Path, target: Path, limits: Limits) -> ConvertedTable:
    size_bytes = source.stat().st_size
    table = connection.read_parquet(str(source))
    all_columns = _columns(connection, source, table)
    columns = [column for column in all_columns if not _INDEX.fullmatch(column.name)]
    _refuse_nested(columns)
    # what is too large by the number of its cells alone is refused before any row is read
    refuse_excess(_n_rows(connection, source) * len(columns), size_bytes, limits)
    target.write_text(header_line([column.name for column in columns]), encoding="utf-8", newline="")
    if columns and len(columns) <= limits.max_columns:  # of a table that is too wide the header is refused
        cells = _cells(table, columns, size_bytes, limits)
        _append_rows(table.project(", ".join(cells)), target)
    texts = tuple(position for position, column in enumerate(columns) if column.is_text)
    return ConvertedTable(0, texts, _notes(len(all_columns) - len(columns)))


def _notes(n_left_out: int) -> tuple[Finding, ...]:
    message = "The file was read as Parquet; numbers of lines are rows of data, from 1."
    notes = [Finding("converted", "info", message)]
    if n_left_out:
        message = "The index that pandas stored in the file (__index_level_0__) was left out."
        notes.append(Finding("converted", "warn", message, advice="Write the file with index=False."))
    return tuple(notes)


def _cells(table: DuckDBPyRelation, columns: Sequence[_Column], size_bytes: int, limits: Limits) -> list[str]:
    """Return the SQL of the cells of each column, after a look at how long all of them are together."""
    with_times = _with_times(table, columns)
    written = [column.written(has_times=column.position in with_times) for column in columns]
    lengths = " + ".join(f"coalesce(sum(strlen({text})), 0)" for text in written)
    n_rows, n_characters = _first(table.aggregate(f"count(*), {lengths}"))
    refuse_excess(n_characters + n_rows * len(columns), size_bytes, limits)
    # an only cell that is missing must not look like a blank line
    return written if len(written) > 1 else [f"coalesce({written[0]}, '')"]


def _append_rows(cells: DuckDBPyRelation, target: Path) -> None:
    body = target.with_suffix(".rows")
    cells.write_csv(str(body), header=False, sep=",", quotechar='"', escapechar='"', na_rep="")
    with target.open("ab") as file, body.open("rb") as rows:
        shutil.copyfileobj(rows, file, 1024 * 1024)
    body.unlink()


def _with_times(table: DuckDBPyRelation, columns: Sequence[_Column]) -> set[int]:
    """Return the positions of moments with times of day; where there are none, days alone are written."""
    moments = [column for column in columns if _MOMENTS.fullmatch(column.kind)]
    if not moments:
        return set()
    checks = (f"{c.reference}::TIMESTAMP <> date_trunc('day', {c.reference}::TIMESTAMP)" for c in moments)
    answers = _first(table.aggregate(", ".join(f"coalesce(bool_or({check}), false)" for check in checks)))
    return {column.position for column, has_times in zip(moments, answers, strict=True) if has_times}


def _columns(connection: DuckDBPyConnection, source: Path, table: DuckDBPyRelation) -> list[_Column]:
    """Return the columns of a file; DuckDB renames columns whose names differ by case alone."""
    query = "SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)"
    names = _top_level(connection.execute(query, [str(source)]).fetchall())
    return [
        _Column(position, name, str(kind), quoted_name(reference))
        for position, (name, reference, kind) in enumerate(
            zip(names, table.columns, table.types, strict=True)
        )
    ]


def _top_level(schema: Sequence[tuple[str, int]]) -> list[str]:
    """Return the names of the children of the root; a schema is listed depth first."""
    names, position = [], 1
    while position < len(schema):
        names.append(schema[position][0])
        n_open = 1
        while n_open:
            n_open += schema[position][1] - 1
            position += 1
    return names


def _refuse_nested(columns: Sequence[_Column]) -> None:
    nested = [column for column in columns if not column.is_flat]
    if not nested:
        return
    names = ", ".join(f"{shown(column.name)} ({_kind(column.kind)})" for column in nested[:5])
    more = f" and {len(nested) - 5:,} more" if len(nested) > 5 else ""
    one = "A column has" if len(nested) == 1 else f"{len(nested):,} columns have"
    message = f"{one} no plain values: {names}{more}."
    advice = "Leave the column out, or write each of its parts as a column of its own."
    raise refused("nested_columns", message, column=name_in_report(nested[0].name), advice=advice)


def _kind(kind: str) -> str:
    if kind == "BLOB":
        return "binary data"
    return "lists" if kind.endswith("]") else "objects"


def _n_rows(connection: DuckDBPyConnection, source: Path) -> int:
    query = "SELECT num_rows FROM parquet_file_metadata(?)"
    (n_rows,) = connection.execute(query, [str(source)]).fetchall()[0]
    return int(n_rows)


def _first(table: DuckDBPyRelation) -> tuple[Any, ...]:
    row: tuple[Any, ...] = table.fetchall()[0]
    return row
