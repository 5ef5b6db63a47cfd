"""The table port in memory, for tests that write thousands of items; it passes the tests of every table."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
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
    SetAttribute,
    item_size_bytes,
)


class MemoryTable:
    """`Table` in a dict, safe between threads."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def get(self, partition: str, sort: str) -> Item | None:
        with self._lock:
            return copy.deepcopy(self._items.get((partition, sort)))

    def write(self, *operations: Operation) -> bool:
        with self._lock:
            deleted = [(each.partition, each.sort) for each in operations if isinstance(each, Delete)]
            written = dict(self._written(each) for each in operations if not isinstance(each, Delete))
            if None in written.values():
                return False
            self._items |= written
            for key in deleted:
                self._items.pop(key, None)
            return True

    def _written(self, operation: Put | SetAttribute) -> tuple[tuple[str, str], Any]:
        """Return the key and the item after the operation; None if its condition does not hold."""
        if isinstance(operation, SetAttribute):
            key = operation.partition, operation.sort
            keys = {"pk": operation.partition, "sk": operation.sort}
            return key, {**self._items.get(key, keys), operation.name: operation.value}
        key, condition = (operation.item["pk"], operation.item["sk"]), operation.condition
        stored = self._items.get(key)
        if isinstance(condition, Absent):
            holds = stored is None
        else:
            holds = condition is None or (stored or {}).get(condition.attribute) in condition.values
        return key, copy.deepcopy(dict(operation.item)) if holds else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item | None]:
        return [self.get(*key) for key in keys]

    def write_newer(self, writes: Sequence[NewerValues]) -> NewerOutcome:
        n_changed, too_large = 0, []
        for write in writes:
            key = write.partition, write.sort
            with self._lock:
                item = self._items.get(key, {"pk": write.partition, "sk": write.sort})
                if item.get(write.time_name, "") >= write.time:
                    continue
                changed = copy.deepcopy(dict(write.applied_to(item)))
                if item_size_bytes(changed) > MAX_ITEM_BYTES:
                    too_large.append(write)
                else:
                    self._items[key] = changed
                    n_changed += 1
        return NewerOutcome(n_changed, tuple(too_large))

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        with self._lock:
            keys = sorted(key for key in self._items if key[0] == partition and key[1].startswith(prefix))
        for key in reversed(keys) if newest_first else keys:
            yield self.get(*key)

    def query_index(self, index: Index, value: str) -> Iterator[Item]:
        with self._lock:
            keys = sorted(key for key, item in self._items.items() if item.get(index.attribute) == value)
        for key in keys:
            yield self.get(*key)

    def scan(self) -> Iterator[Item]:
        with self._lock:
            keys = sorted(self._items)
        for key in keys:
            yield self.get(*key)
