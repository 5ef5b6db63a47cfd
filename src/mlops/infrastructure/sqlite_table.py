"""The table port in a SQLite file: for work without AWS, safe between threads and processes.

Every call opens the file, so that no connection crosses a thread or a fork. The rollback journal is used,
not the write-ahead log: it needs no shared memory and leaves no second file beside the first, so a directory
can be copied, mounted and read as any other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from mlops.infrastructure.table import (
    MAX_ITEM_BYTES,
    Absent,
    Delete,
    Index,
    Item,
    NewerOutcome,
    NewerValues,
    Operation,
    Put,
    item_as_json,
    item_from_json,
    item_size_bytes,
)

LOCK_TIMEOUT_SECONDS = 120.0

_LAST_CHARACTER = "\U0010ffff"
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS items (
        pk TEXT NOT NULL, sk TEXT NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (pk, sk)
    ) WITHOUT ROWID
"""


_SELECT_MANY = """
    SELECT * FROM items WHERE (pk, sk) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
    )
"""
_SELECT_RISING = "SELECT * FROM items WHERE pk = ? AND sk >= ? AND sk < ? ORDER BY sk LIMIT 200"
_SELECT_FALLING = "SELECT * FROM items WHERE pk = ? AND sk >= ? AND sk < ? ORDER BY sk DESC LIMIT 200"


class SqliteTable:
    """`Table` in one file, which is created, with its directory, by the first write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, partition: str, sort: str) -> Item | None:
        """Return the item."""
        rows = self._read("SELECT * FROM items WHERE pk = ? AND sk = ?", partition, sort)
        return _item(*rows[0]) if rows else None

    def write(self, *operations: Operation) -> bool:
        """Do all operations in one transaction."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for operation in operations:
                stored = _stored(connection, operation)
                if isinstance(operation, Put) and not _holds(operation, stored):
                    connection.rollback()
                    return False
                _store(connection, operation, stored)
            connection.commit()
        return True

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item | None]:
        """Return the items with these keys."""
        rows = self._read(_SELECT_MANY, json.dumps(keys))
        items = {(partition, sort): _item(partition, sort, text) for partition, sort, text in rows}
        return [items.get(key) for key in keys]

    def write_newer(self, writes: Sequence[NewerValues]) -> NewerOutcome:
        """Do each write for itself, all in one transaction of the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        n_changed, too_large = 0, []
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for write in writes:
                keys = write.partition, write.sort
                row = connection.execute("SELECT * FROM items WHERE pk = ? AND sk = ?", keys).fetchone()
                item = _item(*row) if row else dict(zip(("pk", "sk"), keys, strict=True))
                if str(item.get(write.time_name, "")) >= write.time:
                    continue
                changed = dict(write.applied_to(item))
                if item_size_bytes(changed) > MAX_ITEM_BYTES:
                    too_large.append(write)
                else:
                    _insert(connection, changed)
                    n_changed += 1
            connection.commit()
        return NewerOutcome(n_changed, tuple(too_large))

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items of a partition."""
        select = _SELECT_FALLING if newest_first else _SELECT_RISING
        low, high = prefix, prefix + _LAST_CHARACTER
        while rows := self._read(select, partition, low, high):
            yield from (_item(*row) for row in rows)
            last = rows[-1][1]
            low, high = (low, last) if newest_first else (f"{last}\0", high)

    def query_index(self, index: Index, value: str) -> Iterator[Item]:
        """Yield the items whose indexed attribute has the value."""
        select = "SELECT * FROM items WHERE json_extract(attributes, ?) = ? ORDER BY pk, sk"
        yield from (_item(*row) for row in self._read(select, f"$.{index.attribute}", value))

    def scan(self) -> Iterator[Item]:
        """Yield every item, all as they are at the beginning."""
        yield from (_item(*row) for row in self._read("SELECT * FROM items ORDER BY pk, sk"))

    def _read(self, statement: str, *values: str) -> list[Any]:
        if not self._path.exists():
            return []
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)
        with closing(connection):
            connection.execute(_SCHEMA)
            yield connection


def _stored(connection: sqlite3.Connection, operation: Operation) -> dict[str, Any] | None:
    if isinstance(operation, Put):
        keys = operation.item["pk"], operation.item["sk"]
    else:
        keys = operation.partition, operation.sort
    row = connection.execute("SELECT * FROM items WHERE pk = ? AND sk = ?", keys).fetchone()
    return _item(*row) if row else None


def _holds(put: Put, stored: Item | None) -> bool:
    if put.condition is None:
        return True
    if isinstance(put.condition, Absent):
        return stored is None
    return stored is not None and stored.get(put.condition.attribute) in put.condition.values


def _store(connection: sqlite3.Connection, operation: Operation, stored: dict[str, Any] | None) -> None:
    if isinstance(operation, Delete):
        keys = operation.partition, operation.sort
        connection.execute("DELETE FROM items WHERE pk = ? AND sk = ?", keys)
        return
    if isinstance(operation, Put):
        item = dict(operation.item)
    else:
        item = stored or {"pk": operation.partition, "sk": operation.sort}
        item |= {operation.name: operation.value}
    _insert(connection, item)


def _insert(connection: sqlite3.Connection, item: dict[str, Any]) -> None:
    keys = item.pop("pk"), item.pop("sk")
    connection.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", (*keys, item_as_json(item)))


def _item(partition: str, sort: str, attributes: str) -> dict[str, Any]:
    return {"pk": partition, "sk": sort, **item_from_json(attributes)}
