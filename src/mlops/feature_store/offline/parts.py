"""A join in parts: rows with the same keys are in the same part, and only one part is in memory.

The memory of an ASOF join grows with its rows, also beyond DuckDB's limit. So long tables are first written
as files of parts, by a hash of the keys; then one part after the other is joined. Views with other keys are
joined with the result, in parts by their keys. The rows of one entity are never divided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.feature_store.definitions.views import CREATED_TIME, EVENT_TIME
from mlops.feature_store.offline.point_in_time import ENTITY_TIME, ViewJoin
from mlops.infrastructure.duckdb_engine import quoted_name, quoted_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_CELLS = 12_000_000
MAX_PARTS = 512
_PART = "part:"  # no column of people or of a view has this name

type JoinQuery = Callable[[str, Sequence[str], Sequence[ViewJoin]], str]


@dataclass(frozen=True, slots=True)
class PartedJoin:
    """Joins entity rows with views in a connection that can use a folder.

    Parameters
    ----------
    query
        Returns the SQL of a join, as `asof_query`.
    max_cells
        How many cells of the entity rows and all views a part has on average; a part with an entity of many
        rows has more.
    """

    connection: DuckDBPyConnection
    folder: Path
    query: JoinQuery
    max_cells: int = MAX_CELLS

    def join(self, entity_rows: str, kept: Sequence[str], joins: Sequence[ViewJoin]) -> str:
        """Return the query of the joined rows; takes what `asof_query` does. Long tables are joined here."""
        n_parts = min(MAX_PARTS, 1 + self._n_cells(entity_rows, joins) // self.max_cells)
        if n_parts == 1:
            return self.query(entity_rows, kept, joins)
        rows, columns = entity_rows, [*kept, ENTITY_TIME]
        by_keys = sorted(joins, key=lambda join: join.view.key_names)
        for number, (keys, views) in enumerate(groupby(by_keys, lambda join: join.view.key_names)):
            step = _Step(self.connection, self.folder / f"step-{number}", keys, n_parts)
            some = list(views)
            rows = step.join(self.query, rows, columns, some)
            columns += [column for join in some for _, column in join.columns]
        return f"SELECT * EXCLUDE ({ENTITY_TIME}) FROM {rows}"

    def _n_cells(self, entity_rows: str, joins: Sequence[ViewJoin]) -> int:
        sources = {entity_rows: len(self.connection.execute(f"DESCRIBE {entity_rows}").fetchall())}
        sources |= {join.source: len(_columns(join)) for join in joins}
        counts = (
            f"SELECT count(*) * {n_columns} AS cells FROM {source}" for source, n_columns in sources.items()
        )
        total = self.connection.execute(f"SELECT sum(cells) FROM ({' UNION ALL '.join(counts)})").fetchall()
        return int(total[0][0])


@dataclass(frozen=True, slots=True)
class _Step:
    """The join with the views that have the same keys."""

    connection: DuckDBPyConnection
    folder: Path
    keys: Sequence[str]
    n_parts: int

    def join(self, query: JoinQuery, rows: str, columns: Sequence[str], joins: Sequence[ViewJoin]) -> str:
        """Write the joined rows of each part into a file; return what reads them all."""
        entities = self._split(rows, ["*"], "")  # no view has this name
        values = [self._split(join.source, _columns(join), join.view.name) for join in joins]
        joined = self.folder / "joined"
        joined.mkdir()
        for part in sorted(entities):
            sources = [each.get(part, []) for each in values]
            some = [
                replace(join, source=_read(files, join)) for join, files in zip(joins, sources, strict=True)
            ]
            target = quoted_text(str(joined / f"{part:06d}.parquet"))
            selected = query(_files(entities[part]), columns, some)
            self.connection.execute(f"COPY ({selected}) TO {target} (FORMAT parquet)")
            for path in (*entities[part], *(path for files in sources for path in files)):
                path.unlink()
        return _files(sorted(joined.iterdir()))

    def _split(self, source: str, columns: Sequence[str], name: str) -> dict[int, list[Path]]:
        """Write the rows of a table as files by the hash of their keys; return those of each part."""
        part = f"hash({', '.join(map(quoted_name, self.keys))}) % {self.n_parts}"
        target = self.folder / f"rows-{name}"
        target.mkdir(parents=True)
        self.connection.execute(
            f"COPY (SELECT {', '.join(columns)}, {part} AS {quoted_name(_PART)} FROM {source}) "
            f"TO {quoted_text(str(target))} (FORMAT parquet, PARTITION_BY ({quoted_name(_PART)}))"
        )
        return {int(each.name.rpartition("=")[2]): sorted(each.iterdir()) for each in target.iterdir()}


def _columns(join: ViewJoin) -> list[str]:
    """Return what of the rows of a view is needed to join them, as SQL."""
    features = (feature for feature, _ in join.columns)
    return [*map(quoted_name, (*join.view.key_names, *features)), EVENT_TIME, CREATED_TIME]


def _read(files: Sequence[Path], join: ViewJoin) -> str:
    return _files(files) if files else f"(SELECT * FROM {join.source} WHERE FALSE)"


def _files(paths: Iterable[Path]) -> str:
    listed = ", ".join(quoted_text(str(path)) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"
