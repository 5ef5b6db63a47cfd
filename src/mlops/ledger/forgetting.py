"""Removal of the rows of persons from the ledger of a group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlops.infrastructure.duckdb_engine import connect, quoted_name, select_ids
from mlops.ledger.columns import PREDICTIONS, TableLayout
from mlops.ledger.files import Partition, group_prefix
from mlops.ledger.reading import parquet_source
from mlops.ledger.recording import MEMORY, Ledger, write_parquet
from mlops.ledger.requests import is_of_request
from mlops.ledger.sql import text
from mlops.models.record import Record

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class RowsOfPersons:
    """Which rows are removed: those whose id in `column` fulfils `is_removed`.

    The column is one of the ids, or of the inputs that are kept beside a prediction.
    """

    column: str
    is_removed: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RemovedRows(Record):
    """How many rows were removed from one file, or would be."""

    key: str
    n_rows: int


def remove_rows(
    ledger: Ledger,
    group: str,
    rows: RowsOfPersons,
    now: datetime,
    *,
    layout: TableLayout = PREDICTIONS,
    is_final: bool = True,
) -> Iterator[RemovedRows]:
    """Remove rows with every former content of their files; yield each file that had some, once it is done.

    Each file is written without the rows first, then its former content is removed, so a run that stops can
    be repeated. A batch that is recorded at the same moment may bring rows back: remove them first from the
    predictions that were delivered. A request whose message comes again does not: its rows are recorded as
    removed.

    Parameters
    ----------
    layout
        That of the table whose files `ledger` has.
    is_final
        If false, nothing is changed.

    Raises
    ------
    LedgerError
        If another run changes the files of the group.
    """
    with ledger.batches.change(group, now) if is_final else nullcontext():
        for key in [file.key for file in ledger.files.list(group_prefix(group))]:
            n_removed = _rewrite(key, rows, ledger, layout, is_final=is_final)
            if n_removed:
                yield RemovedRows(key, n_removed)


def _rewrite(key: str, rows: RowsOfPersons, ledger: Ledger, layout: TableLayout, *, is_final: bool) -> int:
    """Write one file without the rows, if it has some; return how many they were."""
    files = ledger.files
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / key, Path(folder) / "kept.parquet"
        source.parent.mkdir(parents=True)
        files.fetch(key, source)
        with closing(connect([Path(folder)], scratch=Path(folder), memory=MEMORY, threads=1)) as connection:
            n_rows, n_kept = _write_kept(connection, source, target, rows, layout)
            if is_final and layout is PREDICTIONS:
                partition = Partition.of_key(key)
                requests = _removed_requests(connection, source, rows)
                ledger.batches.keep_out(partition.group, partition.batch_date, requests)
        if is_final and n_kept < n_rows:
            files.store(target, key)
    if is_final:  # also of a run that stopped after it had stored the file
        files.remove_former_content(key)
    return n_rows - n_kept


def _write_kept(
    connection: DuckDBPyConnection, source: Path, target: Path, rows: RowsOfPersons, layout: TableLayout
) -> tuple[int, int]:
    """Write the rows that are kept; return how many there were, and how many are kept."""
    stored, row_id = parquet_source([source], layout), _id(rows, layout)
    select_ids(connection, "removed", f"SELECT DISTINCT {row_id} FROM {stored}", rows.is_removed)
    columns = ", ".join(quoted_name(column.name) for column in layout.columns)
    kept = f"SELECT {columns} FROM {stored} WHERE {row_id} IS NULL OR {row_id} NOT IN (FROM removed)"
    n_rows = connection.execute(f"SELECT count(*) FROM {stored}").fetchall()[0][0]
    return int(n_rows), write_parquet(connection, kept, target)


def _removed_requests(
    connection: DuckDBPyConnection, source: Path, rows: RowsOfPersons
) -> list[tuple[str, str]]:
    """Return the batch id and the number of each removed row of a request."""
    is_removed = f"{_id(rows, PREDICTIONS)} IN (FROM removed)"
    removed = connection.execute(
        f'SELECT DISTINCT batch_id, "row" FROM {parquet_source([source])} WHERE {is_removed}'
    ).fetchall()
    return [(batch_id, str(row)) for batch_id, row in removed if is_of_request(batch_id)]


def _id(rows: RowsOfPersons, layout: TableLayout) -> str:
    name = text(rows.column)
    has_inputs = any(column.name == "inputs" for column in layout.columns)
    return f"coalesce(ids[{name}], inputs[{name}])" if has_inputs else f"ids[{name}]"
