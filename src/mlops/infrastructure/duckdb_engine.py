"""DuckDB with bounded memory, which sees nothing but the named directories and loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.infrastructure.extras import require_package

if TYPE_CHECKING:  # imported on first use: 70 MB that most functions do not have
    from duckdb import DuckDBPyConnection

MEMORY = "512MB"
_IDS_AT_ONCE = 10_000


def connect(
    folders: Sequence[Path],
    *,
    scratch: Path,
    memory: str = MEMORY,
    threads: int = 2,
    files: Sequence[Path] = (),
) -> DuckDBPyConnection:
    """Open a database in memory.

    Parameters
    ----------
    folders, files
        What it may read and write.
    scratch
        Where it puts what does not fit into memory.
    memory
        For example "1GB"; exceeded by some 60 MB, by an ASOF join by 100 MB for a million rows and by 900 MB
        for ten million.
    threads
        With one thread the same rows are written as the same bytes.

    Raises
    ------
    MissingPackageError
        If DuckDB is not installed.
    """
    require_package("duckdb")
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory,
        "temp_directory": str(scratch / "spill"),
        "threads": threads,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET allowed_directories = ?", [[str(folder) for folder in folders]])
    connection.execute("SET allowed_paths = ?", [[str(path) for path in files]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")  # it would be written to our output
    connection.execute("SET lock_configuration = true")
    return connection


def select_ids(
    connection: DuckDBPyConnection, table: str, ids: str, is_selected: Callable[[str], bool]
) -> None:
    """Create a table with the column `id`: those of the texts of a query that Python selects.

    Parameters
    ----------
    ids
        A SELECT of one column of texts; missing ones are left out.
    """
    connection.execute(f"CREATE TABLE {table} (id VARCHAR)")
    rows = connection.cursor().execute(ids)
    while some := rows.fetchmany(_IDS_AT_ONCE):
        if selected := [one for one in some if one[0] is not None and is_selected(one[0])]:
            connection.executemany(f"INSERT INTO {table} VALUES (?)", selected)  # noqa: S608  a name of ours


def quoted_name(value: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + value.replace('"', '""') + '"'


def quoted_text(value: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"
