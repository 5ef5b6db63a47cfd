"""Several tables as they were at one moment.

Reading a table takes longer than a moment. So all of them are read until two readings in a row are equal:
then nothing changed between the end of the one and the beginning of the other, and both are the state of that
moment.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops.infrastructure.table import Table, item_as_json
from mlops.models.errors import BackupError

MAX_READINGS = 6


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The items of each table, one JSON document in each line of a gzip file, at `moment`."""

    files: Mapping[str, Path]
    n_items: Mapping[str, int]
    moment: datetime


def read_snapshot(tables: Mapping[str, Table], folder: Path, now: Callable[[], datetime]) -> Snapshot:
    """Write the items of the tables, as they were at one moment, into files in `folder`.

    Raises
    ------
    BackupError
        If something changes all the time.
    """
    previous: dict[str, set[bytes]] = {}
    for _ in range(MAX_READINGS):
        moment = now()
        files = {role: folder / f"{role}.jsonl.gz" for role in tables}
        digests = {role: _read(table, files[role]) for role, table in tables.items()}
        if digests == previous:
            return Snapshot(files, {role: len(items) for role, items in digests.items()}, moment)
        previous = digests
    raise BackupError(
        f"The tables changed during each of {MAX_READINGS} readings: repeat the backup when less is going on."
    )


def _read(table: Table, path: Path) -> set[bytes]:
    """Write the items of a table to a file, and return their digests."""
    digests = set()
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        for item in table.scan():
            line = item_as_json(item)
            digests.add(hashlib.sha256(line.encode()).digest())
            stream.write(f"{line}\n")
    return digests
