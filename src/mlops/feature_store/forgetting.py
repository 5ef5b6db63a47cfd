"""Removal of the values of persons from a feature view: from its files, and from the online store.

The online values of a person are found by the keys in the files, so they are removed first: a run that stops
can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.offline.files import PREFIX, OfflineStore
from mlops.feature_store.offline.ingestion import ROWS_OF_A_GROUP
from mlops.feature_store.online.items import item_key
from mlops.infrastructure.duckdb_engine import connect, quoted_name, quoted_text, select_ids
from mlops.infrastructure.object_store import is_newest
from mlops.infrastructure.table import Delete, Table
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class RemovedValues:
    """What was removed from one version of a file, or would be: rows, and items of the online store."""

    ref: ObjectRef
    n_rows: int
    items: frozenset[tuple[str, str]]
    is_rewritten: bool


@dataclass(frozen=True, slots=True)
class ViewValues:
    """The values of one view, and the entities that are removed: those whose key in `column` `is_removed`."""

    view: FeatureView
    column: str
    is_removed: Callable[[str], bool]
    offline: OfflineStore
    online_table: Table

    def remove(self, *, is_final: bool) -> Iterator[RemovedValues]:
        """Remove them from every version of every file; yield each that had some, once it is done.

        The newest version is written again without them where other rows are left; older ones are deleted.
        Without `is_final` nothing is changed. Values that are materialised at the same moment may come back
        into the online store, and are found by the next run only if their file is stored again.
        """
        objects, prefix = self.offline.objects, f"{PREFIX}{self.view.name}/"
        # listed before anything is written, so that no new version is searched
        for facts in list(objects.list_history(self.offline.bucket, prefix)):
            with TemporaryDirectory() as name:
                folder = Path(name).resolve()
                try:
                    objects.download(facts.ref, folder / "stored.parquet")
                except ObjectNotFoundError:  # someone else deleted it meanwhile
                    continue
                if removed := self._remove_from(facts.ref, folder, is_final=is_final):
                    yield removed

    def _remove_from(self, ref: ObjectRef, folder: Path, *, is_final: bool) -> RemovedValues | None:
        entities, n_rows, n_kept = self._split(folder)
        if not n_rows:
            return None
        items = frozenset(self._remove_online(entities, is_final=is_final))
        is_rewritten = n_kept > 0 and is_newest(ref, self.offline.objects)
        if is_final:
            if is_rewritten:
                newest = ObjectRef(ref.bucket, ref.key)
                self.offline.objects.upload(folder / "kept.parquet", newest, "application/vnd.apache.parquet")
            self.offline.objects.delete(ref)
        return RemovedValues(ref, n_rows, items, is_rewritten)

    def _split(self, folder: Path) -> tuple[list[dict[str, Any]], int, int]:
        """Write the rows that are kept; return the entities of the others, and the numbers of both."""
        source = f"read_parquet({quoted_text(str(folder / 'stored.parquet'))}, hive_partitioning = false)"
        key = f"CAST({quoted_name(self.column)} AS VARCHAR)"
        with closing(connect([folder], scratch=folder, threads=1)) as connection:
            select_ids(connection, "removed", f"SELECT DISTINCT {key} FROM {source}", self.is_removed)
            names = ", ".join(map(quoted_name, self.view.key_names))
            removed = f"FROM {source} WHERE {key} IN (FROM removed)"
            entities = connection.execute(f"SELECT {names}, count(*) {removed} GROUP BY {names}").fetchall()
            n_kept = 0
            if entities:
                kept = f"SELECT * FROM {source} WHERE {key} IS NULL OR {key} NOT IN (FROM removed)"
                options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_OF_A_GROUP}"
                target = quoted_text(str(folder / "kept.parquet"))
                ((n_kept,),) = connection.execute(f"COPY ({kept}) TO {target} ({options})").fetchall()
        keys = [dict(zip(self.view.key_names, row, strict=False)) for row in entities]
        return keys, sum(row[-1] for row in entities), n_kept

    def _remove_online(
        self, entities: Iterable[Mapping[str, Any]], *, is_final: bool
    ) -> Iterator[tuple[str, str]]:
        """Remove the items of entities, with their values of every view; yield the key of each there was."""
        for entity in entities:
            key = item_key(self.view.keys, entity)
            if self.online_table.get(*key) is None:
                continue
            if is_final:
                self.online_table.write(Delete(*key))
            yield key
