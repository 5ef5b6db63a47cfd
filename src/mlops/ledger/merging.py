"""Merging of the files of closed days: readers open one file for a day instead of one for each batch.

The merged file is stored first, then the files that it replaces are removed. A run that stops in between
leaves rows twice, which readers see once, and the next run merges all of them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.ledger.columns import COLUMNS
from mlops.ledger.files import PARALLEL_REQUESTS, LedgerFile, LedgerFiles, Partition, fetch_all
from mlops.ledger.reading import parquet_source
from mlops.ledger.recording import MEMORY, Ledger, write_parquet
from mlops.ledger.sql import unique_rows
from mlops.models.record import Record

# a merged day fits into the temporary storage of a function, with its files
_MAX_MERGED_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class MergedDay(Record):
    """The files of one group and day that were replaced by one."""

    group: str
    day: str
    n_files: int
    n_rows: int


def merge_closed_days(ledger: Ledger, now: datetime) -> Iterator[MergedDay]:
    """Merge the files of every group and day before today, in UTC; a day with one file is left alone.

    Raises
    ------
    LedgerError
        If another run changes the files of a group.
    """
    today = now.astimezone(UTC).date()
    files = groupby(ledger.files.list(), lambda file: Partition.of_key(file.key))
    mergeable = [(partition, _small_files(tuple(group))) for partition, group in files]
    for partition, keys in mergeable:
        if partition.batch_date < today and len(keys) > 1:
            with ledger.batches.change(partition.group, now, f"merging of {now.isoformat()}"):
                yield _merge(partition, keys, ledger.files)


def _small_files(files: Sequence[LedgerFile]) -> list[str]:
    """Return the keys of the smallest files of a day, as many as are merged at once."""
    keys, total = [], 0
    for file in sorted(files, key=lambda file: file.size_bytes):
        total += file.size_bytes
        if total <= _MAX_MERGED_BYTES:
            keys.append(file.key)
    return keys


def _merge(partition: Partition, keys: Sequence[str], files: LedgerFiles) -> MergedDay:
    merged_key = partition.merged_key(keys)
    with TemporaryDirectory() as folder:
        root, target = Path(folder), Path(folder) / "merged.parquet"
        paths = fetch_all(files, keys, root)
        columns = ", ".join(quoted_name(column.name) for column in COLUMNS)
        select = f'SELECT {columns} FROM ({unique_rows(parquet_source(paths))}) ORDER BY batch_id, "row"'
        with closing(connect([root], scratch=root, memory=MEMORY, threads=1)) as connection:
            n_rows = write_parquet(connection, select, target)
        files.store(target, merged_key)
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        list(pool.map(files.remove, keys))
    return MergedDay(partition.group, partition.batch_date.isoformat(), len(keys), n_rows)
