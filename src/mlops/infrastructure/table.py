"""The port for small records with conditional writes: a DynamoDB table, or a SQLite file on a laptop."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# Attributes are JSON values or bytes; every item has the string keys `pk` (partition) and `sk` (sort).
type Item = Mapping[str, Any]

# What an item of DynamoDB holds, names of attributes included. Reading costs by size, so documents beyond
# PLAIN_LIMIT_BYTES are compressed.
MAX_ITEM_BYTES = 400 * 1024
PLAIN_LIMIT_BYTES = 25_000

# what DynamoDB reads in one request
MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class Absent:
    """No item has the keys of the new one."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The item with the keys of the new one has one of these values in its attribute."""

    attribute: str
    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole item, over the one with the same keys if there is one."""

    item: Item
    condition: Absent | OneOf | None = None


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """Set one attribute of an item; the others stay, and an item that does not exist is created."""

    partition: str
    sort: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an item; a missing one is not an error."""

    partition: str
    sort: str


type Operation = Put | SetAttribute | Delete


@dataclass(frozen=True, slots=True)
class NewerValues:
    """Set attributes of an item unless it has an equal or later time in `time_name`; the others stay.

    `time` is text that sorts as the times do; it is set as well. `removed` are attributes that the same write
    removes.
    """

    partition: str
    sort: str
    time_name: str
    time: str
    attributes: Item
    removed: tuple[str, ...] = ()

    def applied_to(self, item: Item) -> Item:
        """Return an item after the write, whatever its time is."""
        kept = {name: value for name, value in item.items() if name not in self.removed}
        return {**kept, **self.attributes, self.time_name: self.time}


@dataclass(frozen=True, slots=True)
class NewerOutcome:
    """How many writes changed their item, and those that were left out, as their item would be too large."""

    n_changed: int
    too_large: tuple[NewerValues, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index: the items that have the attribute, by its value."""

    name: str
    attribute: str


class Table(Protocol):
    """Items in partitions, ordered by their sort key within one; keys compare by their UTF-8 bytes."""

    def get(self, partition: str, sort: str) -> Item | None:
        """Return the item, with every write that ended before the call; None if it does not exist."""

    def write(self, *operations: Operation) -> bool:
        """Do all operations in one transaction, each on another item, at most 100.

        Returns False, with nothing written, if a condition does not hold or another transaction writes to
        one of the items at the same moment. A write that was repeated after a lost answer returns False if
        its own first attempt made the condition false.
        """

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item | None]:
        """Return the items with at most 100 different keys in one request, in their order, as `get` does."""

    def write_newer(self, writes: Sequence[NewerValues]) -> NewerOutcome:
        """Do each write for itself, in any order.

        One that would make its item larger than `MAX_ITEM_BYTES` changes nothing, and the others are done.
        """

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items of a partition whose sort key begins with the prefix, by rising or falling key.

        The items are read page by page, each page with every write that ended before it was read; the caller
        may write to the table between two items.
        """

    def query_index(self, index: Index, value: str) -> Iterator[Item]:
        """Yield the items whose indexed attribute has the value; only their keys are sure to be included.

        Indexes lag behind: an item of the last moments may be missing, a former one may be included.
        """

    def scan(self) -> Iterator[Item]:
        """Yield every item, in any order, each as it is when its page is read: for backups."""


def item_size_bytes(item: Item) -> int:
    """Return how many bytes an item has, about as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:
    return len(value if isinstance(value, bytes) else str(value).encode())


def item_as_json(item: Item) -> str:
    """Return an item in one line, the same for equal items; NaN and infinity are refused."""
    return json.dumps(item, ensure_ascii=False, allow_nan=False, sort_keys=True, default=_bytes_as_text)


def item_from_json(text: str) -> dict[str, Any]:
    """Return the item that `item_as_json` wrote."""
    item: dict[str, Any] = _ITEM_DECODER.decode(text)
    return item


def _bytes_as_text(value: Any) -> dict[str, str]:
    return {"base64": base64.b64encode(bytes(value)).decode()}


def _bytes_from_text(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value


_ITEM_DECODER = json.JSONDecoder(object_hook=_bytes_from_text)  # `loads` would make one for each item


def document_attributes(text: str) -> Item:
    """Return the attributes that hold a JSON document: as text, because numbers of DynamoDB do not keep 1.0
    apart from 1, and compressed when it is long.
    """
    content = text.encode()
    if len(content) <= PLAIN_LIMIT_BYTES:
        return {"document": text}
    return {"document_zlib": zlib.compress(content)}


def document_of(item: Item) -> str | bytes:
    """Return the JSON document that `document_attributes` wrote."""
    if "document" in item:
        return str(item["document"])
    return zlib.decompress(bytes(item["document_zlib"]))
