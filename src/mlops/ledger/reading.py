"""Reading of the ledger: whole rows of a group, or the answer to a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.ledger import sql
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.columns import PREDICTIONS, Column, TableLayout
from mlops.ledger.label_columns import LABELS
from mlops.models.errors import QueryError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY = "1GB"


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query: names of columns, and rows of values in their order; NULL is None."""

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]

    def records(self) -> list[Mapping[str, Any]]:
        """Return each row as a mapping."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.values]


class QueryEngine(Protocol):
    """Runs one SELECT over the table `ledger`."""

    def select(self, statement: str) -> Rows:
        """Return all rows of the result.

        Raises
        ------
        QueryError
            If the statement fails.
        """


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of all groups."""

    batches: LedgerBatches
    engine: QueryEngine

    def select(self, selection: sql.Selection, query: str | None = None) -> Rows:
        """Return rows of a group, in the order in which they were scored.

        Parameters
        ----------
        query
            A SELECT over `predictions`, the selected rows with the columns of the ledger; by default the rows
            with a column for each id and each class.

        Raises
        ------
        QueryError
            If the query is not a SELECT, or fails.
        """
        if query is not None:
            return self.engine.select(sql.statement(selection, query))
        columns, query = sql.whole_rows(self.batches.list(selection.group, selection.since))
        return Rows(columns, self.engine.select(sql.statement(selection, query)).values)


class FolderEngine:
    """`QueryEngine` over the files below directories, DuckDB, which may read nothing else.

    Parameters
    ----------
    root, labels
        Where the files of predictions are, and those of labels.
    """

    def __init__(self, root: Path, labels: Path | None = None) -> None:
        self._root = root
        self._labels = labels or root.parent / "labels"

    def select(self, statement: str) -> Rows:
        """Return all rows of the result.

        Raises
        ------
        MissingPackageError
            If DuckDB is not installed.
        QueryError
            If the statement fails, or is not a SELECT.
        """
        with (
            TemporaryDirectory() as scratch,
            closing(connect([self._root, self._labels], scratch=Path(scratch), memory=_MEMORY)) as connection,
        ):
            import duckdb

            try:
                for table, source in self._sources().items():
                    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {source}")
                _refuse_changes(connection, statement)
                result = connection.execute(statement)
                return Rows(tuple(column[0] for column in result.description), tuple(result.fetchall()))
            except duckdb.Error as error:
                raise QueryError(f"The query failed: {' '.join(str(error).split())}") from error

    def _sources(self) -> Mapping[str, str]:
        """Return what reads each table."""
        return {
            sql.TABLE: parquet_source(_files(self._root)),
            sql.LABEL_TABLE: parquet_source(_files(self._labels), LABELS),
        }


def _files(root: Path) -> list[Path]:
    """Return the pattern of the files of a table, nothing while there are none."""
    pattern = "model_group=*/*=*/*.parquet"
    return [root / pattern] if any(root.glob(pattern)) else []


def parquet_source(paths: Sequence[Path], layout: TableLayout = PREDICTIONS) -> str:
    """Return what reads files of a table with their partitions; columns that older files lack are NULL."""
    no_rows = f"SELECT {', '.join(map(_no_value, (*layout.columns, *layout.partitions)))} WHERE FALSE"
    if not paths:
        return f"({no_rows})"
    types = ", ".join(f"'{column.name}': {column.sql_type}" for column in layout.partitions)
    listed = ", ".join(sql.text(str(path)) for path in paths)
    files = (
        f"read_parquet([{listed}], union_by_name = true, hive_partitioning = true, hive_types = {{{types}}})"
    )
    return f"({no_rows} UNION ALL BY NAME SELECT * FROM {files})"


def _no_value(column: Column) -> str:
    return f"CAST(NULL AS {column.sql_type}) AS {quoted_name(column.name)}"


def _refuse_changes(connection: DuckDBPyConnection, statement: str) -> None:
    """Refuse what is not one SELECT: another statement could write over the files."""
    import duckdb

    statements = connection.extract_statements(statement)
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise QueryError("The SQL must be one SELECT.")
