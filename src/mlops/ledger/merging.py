"""Merging of the files of closed days: readers open one file for a day instead of one for each batch.

The merged file is stored first, then the files that it replaces are removed. A run that stops in between
leaves rows twice, which readers see once, and the next run merges all of them again.

Shadow predictions become columns of the rows of their batch at the same time; their files are removed last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.infrastructure.duckdb_engine import connect, quoted_name
from mlops.infrastructure.object_store import in_parallel
from mlops.ledger.batches import REQUEST_PREFIX
from mlops.ledger.columns import COLUMNS
from mlops.ledger.files import LedgerFile, LedgerFiles, Partition, fetch_all
from mlops.ledger.reading import parquet_source
from mlops.ledger.recording import MEMORY, Ledger, write_parquet
from mlops.ledger.shadow.rows import shadow_key, with_shadow
from mlops.ledger.sql import text, unique_rows
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


@dataclass(frozen=True, slots=True)
class _Shadow:
    """The shadow predictions of a day."""

    files: LedgerFiles
    keys: Sequence[str]

    def remove(self, partition: Partition, batch_ids: Iterable[str]) -> None:
        """Remove those of batches whose rows have them."""
        merged = {shadow_key(partition, batch_id) for batch_id in batch_ids}
        for key in merged.intersection(self.keys):
            self.files.remove(key)


def merge_closed_days(
    ledger: Ledger, now: datetime, shadow: LedgerFiles | None = None
) -> Iterator[MergedDay]:
    """Merge the files of every group and day before today, in UTC.

    A day with one file and no shadow predictions is left alone.

    Parameters
    ----------
    shadow
        The files of shadow predictions. One whose batch is not in the ledger yet stays for the next night.

    Raises
    ------
    LedgerError
        If another run changes the files of a group.
    """
    today = now.astimezone(UTC).date()
    files = groupby(ledger.files.list(), lambda file: Partition.of_key(file.key))
    mergeable = [(partition, _small_files(tuple(group))) for partition, group in files]
    scored = _by_partition(shadow) if shadow else {}
    for partition, keys in mergeable:
        in_shadow = _Shadow(shadow, scored.get(partition, [])) if shadow else None
        if partition.batch_date < today and (len(keys) > 1 or (in_shadow and in_shadow.keys)):
            with ledger.batches.change(partition.group, now, f"merging of {now.isoformat()}"):
                yield _merge(partition, keys, ledger, in_shadow)


def _count_requests(partition: Partition, keys: set[str], n_rows: Mapping[str, int], ledger: Ledger) -> None:
    """Write the number of rows of requests into the records of a day.

    A message that came again was counted twice. The records are read before the files are listed, so they
    count no file that is not listed. Where another one is there, nothing is changed: the next night counts.
    """
    find, counted = ledger.batches.of_requests, n_rows.items()
    records = [(find(partition.group, partition.batch_date, version), count) for version, count in counted]
    if {file.key for file in ledger.files.list(partition.prefix)} == keys:
        for recorded, count in records:
            if recorded is not None:
                ledger.batches.recount(recorded, count)


def _by_partition(files: LedgerFiles) -> Mapping[Partition, list[str]]:
    """Return the keys of files by their group and day."""
    keys = [file.key for file in files.list()]
    return {partition: list(group) for partition, group in groupby(sorted(keys), Partition.of_key)}


def _small_files(files: Sequence[LedgerFile]) -> list[str]:
    """Return the keys of the smallest files of a day, as many as are merged at once."""
    keys, total = [], 0
    for file in sorted(files, key=lambda file: file.size_bytes):
        total += file.size_bytes
        if total <= _MAX_MERGED_BYTES:
            keys.append(file.key)
    return keys


def _merge(partition: Partition, keys: Sequence[str], ledger: Ledger, shadow: _Shadow | None) -> MergedDay:
    files = ledger.files
    merged_key = partition.merged_key(keys)
    with TemporaryDirectory() as folder:
        root, target = Path(folder), Path(folder) / "merged.parquet"
        paths = fetch_all(files, keys, root)
        scored = fetch_all(shadow.files, shadow.keys, root / "shadow") if shadow else []
        columns = ", ".join(quoted_name(column.name) for column in COLUMNS)
        rows = with_shadow(unique_rows(parquet_source(paths)), scored)
        select = f'SELECT {columns} FROM ({rows}) ORDER BY batch_id, "row"'
        with closing(connect([root], scratch=root, memory=MEMORY, threads=1)) as connection:
            n_rows = write_parquet(connection, select, target)
            merged = f"read_parquet({text(str(target))})"
            batches = connection.execute(f"SELECT DISTINCT batch_id FROM {merged}").fetchall()
            is_request = f"starts_with(batch_id, {text(REQUEST_PREFIX)})"
            of_requests = connection.execute(
                f"SELECT model_version, count(*) FROM {merged} WHERE {is_request} GROUP BY model_version"
            ).fetchall()
        files.store(target, merged_key)
    _count_requests(partition, {*keys, merged_key}, dict(of_requests), ledger)
    deque(in_parallel(files.remove, keys), maxlen=0)
    if shadow:
        shadow.remove(partition, (batch_id for (batch_id,) in batches))
    return MergedDay(partition.group, partition.batch_date.isoformat(), len(keys), n_rows)
