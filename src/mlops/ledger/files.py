"""The Parquet files of the ledger: their names, in a bucket or in a directory.

`model_group=<group>/batch_date=<date>/<name>.parquet`: one file for each batch, until the files of a closed
day are merged. Names derive from what a file contains, so that writing a file again changes nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from mlops.infrastructure.object_store import ObjectStore, in_parallel
from mlops.models.objects import ObjectRef

PREFIX = "ledger/"


@dataclass(frozen=True, slots=True)
class Partition:
    """The batches of one group of one day."""

    group: str
    batch_date: date

    @property
    def prefix(self) -> str:
        """What the keys of its files begin with."""
        return f"{group_prefix(self.group)}batch_date={self.batch_date.isoformat()}/"

    @classmethod
    def of_key(cls, key: str) -> Partition:
        """Return the partition of a file."""
        group, batch_date, _ = key.split("/")
        return cls(group.partition("=")[2], date.fromisoformat(batch_date.partition("=")[2]))

    def batch_key(self, batch_id: str) -> str:
        """Return the key of the file of one batch."""
        return f"{self.prefix}batch-{quote(batch_id, safe='')}.parquet"

    def merged_key(self, keys: Iterable[str]) -> str:
        """Return the key of the file that replaces others."""
        digest = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()
        return f"{self.prefix}day-{digest[:32]}.parquet"


def group_prefix(group: str) -> str:
    """Return what the keys of the files of a group begin with."""
    return f"model_group={group}/"


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """One file."""

    key: str
    size_bytes: int


class LedgerFiles(Protocol):
    """Files by key; a file is always whole, whenever a writer stops."""

    def list(self, prefix: str = "") -> Iterator[LedgerFile]:
        """Yield the files whose key begins with the prefix, in the order of the keys."""

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file to a local path."""

    def store(self, source: Path, key: str) -> None:
        """Write a file, over the one with that key if there is one."""

    def remove(self, key: str) -> None:
        """Remove a file with everything that was ever stored under its key; a missing one is not an error."""

    def remove_former_content(self, key: str) -> None:
        """Remove everything that was stored under a key, except its present content."""


def keys_since(files: LedgerFiles, group: str, since: date) -> list[str]:
    """Return the keys of the files of predictions of a group since a day."""
    keys = (file.key for file in files.list(group_prefix(group)))
    return [key for key in keys if Partition.of_key(key).batch_date >= since]


def fetch_all(files: LedgerFiles, keys: Sequence[str], folder: Path) -> list[Path]:
    """Copy files into a folder, below it as their keys say; return their paths in the order of the keys."""
    paths = [folder / key for key in keys]
    for parent in {path.parent for path in paths}:
        parent.mkdir(parents=True, exist_ok=True)
    # requests to the predict API leave a file for each minute or less: one after the other, some thousand of
    # them take longer than a function may run
    deque(in_parallel(lambda key: files.fetch(key, folder / key), keys), maxlen=0)
    return paths


class FolderFiles:
    """`LedgerFiles` in a directory, which DuckDB reads as it is."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, prefix: str = "") -> Iterator[LedgerFile]:
        """Yield the files whose key begins with the prefix."""
        for path in sorted(self.root.glob("model_group=*/*=*/*.parquet")):
            key = path.relative_to(self.root).as_posix()
            if key.startswith(prefix):
                yield LedgerFile(key, path.stat().st_size)

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file."""
        shutil.copyfile(self.root / key, target)

    def store(self, source: Path, key: str) -> None:
        """Write a file; it gets its name when it is complete."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}.partial")
        shutil.copyfile(source, partial)
        partial.replace(target)

    def remove(self, key: str) -> None:
        """Remove a file."""
        (self.root / key).unlink(missing_ok=True)

    def remove_former_content(self, key: str) -> None:
        """Do nothing: a directory keeps no former content."""


class BucketFiles:
    """`LedgerFiles` below a prefix, `ledger/` by default, in a bucket whose versions are kept."""

    def __init__(self, objects: ObjectStore, bucket: str, prefix: str = PREFIX) -> None:
        self._objects = objects
        self._bucket = bucket
        self._prefix = prefix

    def list(self, prefix: str = "") -> Iterator[LedgerFile]:
        """Yield the files whose key begins with the prefix."""
        for facts in self._objects.list(self._bucket, self._prefix + prefix):
            yield LedgerFile(facts.ref.key.removeprefix(self._prefix), facts.size_bytes)

    def fetch(self, key: str, target: Path) -> None:
        """Download a file."""
        self._objects.download(self._ref(key), target)

    def store(self, source: Path, key: str) -> None:
        """Upload a file."""
        content_type = "application/gzip" if key.endswith(".gz") else "application/vnd.apache.parquet"
        self._objects.upload(source, self._ref(key), content_type)

    def remove(self, key: str) -> None:
        """Remove every version, the newest last: a former one is never the content of the file again."""
        if self._objects.exists(self._ref(key)):
            self.remove_former_content(key)
            self._objects.delete(self._objects.head(self._ref(key)).ref)

    def remove_former_content(self, key: str) -> None:
        """Remove every version but the newest."""
        newest = self._objects.head(self._ref(key)).ref
        for facts in tuple(self._objects.list_history(self._bucket, self._prefix + key)):
            if facts.ref.key == newest.key and facts.ref != newest:
                self._objects.delete(facts.ref)

    def _ref(self, key: str) -> ObjectRef:
        return ObjectRef(self._bucket, self._prefix + key)
